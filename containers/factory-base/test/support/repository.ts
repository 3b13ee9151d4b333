import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs git in a test's own repository, with nothing of the machine's configuration. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run("git", args, {
    cwd,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: cwd,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "Test",
      GIT_AUTHOR_EMAIL: "test@example.com",
      GIT_COMMITTER_NAME: "Test",
      GIT_COMMITTER_EMAIL: "test@example.com",
    },
  });
  return stdout.trim();
}

/** Makes the files in `cwd` a repository of one commit on `main`; answers with its id. */
export async function commitAll(cwd: string): Promise<string> {
  await git(cwd, "init", "--quiet", "--initial-branch=main");
  await git(cwd, "add", "--all");
  await git(cwd, "commit", "--quiet", "--message", "All of it");
  return git(cwd, "rev-parse", "HEAD");
}
