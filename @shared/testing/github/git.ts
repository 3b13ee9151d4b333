import { spawn } from "node:child_process";

/** Nothing of the machine's own git configuration reaches these repositories. */
export const GIT_ENVIRONMENT: Record<string, string> = {
  PATH: process.env.PATH ?? "",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
};

export interface GitOutcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs git in a repository; a failure is an outcome, not an error. */
export function tryGit(
  repository: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<GitOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", ["--git-dir", repository, ...args], {
      env: { ...GIT_ENVIRONMENT, ...options.env },
      stdio: "pipe",
    });
    const read = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (read.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (read.stderr += text));
    child.once("error", reject);
    // A git that ends before it has read its input is no failure of ours.
    child.stdin.on("error", () => undefined);
    child.once("close", (code) => resolve({ code: code ?? 1, ...read }));
    child.stdin.end(options.input ?? "");
  });
}

/** The same, where only success makes sense. */
export async function git(
  repository: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, stdout, stderr } = await tryGit(repository, args, options);
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}: ${stderr}`);
  return stdout.trim();
}

/** The commit a name stands for; null where there is none. Never an option and never an expression with a range. */
export async function commitOf(repository: string, name: string): Promise<string | null> {
  if (!/^[\w./@+-]+$/.test(name) || name.startsWith("-") || name.includes("..")) return null;
  const { code, stdout } = await tryGit(repository, [
    "rev-parse",
    "--verify",
    "--quiet",
    "--end-of-options",
    `${name}^{commit}`,
  ]);
  return code === 0 ? stdout.trim() : null;
}

/** Makes a commit of whole files on a branch, as somebody else's push would. A null content removes the file. */
export async function commitFiles(
  repository: string,
  branch: string,
  files: Record<string, string | null>,
  options: { message?: string; index: string; at?: number },
): Promise<string> {
  const parent = await commitOf(repository, `refs/heads/${branch}`);
  const when = `${Math.floor((options.at ?? Date.now()) / 1000)} +0000`;
  const env = {
    GIT_INDEX_FILE: options.index,
    GIT_AUTHOR_NAME: "Somebody",
    GIT_AUTHOR_EMAIL: "somebody@example.com",
    GIT_AUTHOR_DATE: when,
    GIT_COMMITTER_NAME: "Somebody",
    GIT_COMMITTER_EMAIL: "somebody@example.com",
    GIT_COMMITTER_DATE: when,
  };
  await git(repository, parent === null ? ["read-tree", "--empty"] : ["read-tree", parent], { env });
  for (const [path, content] of Object.entries(files)) {
    if (content === null) {
      await git(repository, ["update-index", "--force-remove", "--", path], { env });
      continue;
    }
    const blob = await git(repository, ["hash-object", "-w", "--stdin"], { input: content });
    await git(repository, ["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], { env });
  }
  const tree = await git(repository, ["write-tree"], { env });
  const commit = await git(repository, ["commit-tree", tree, ...(parent === null ? [] : ["-p", parent])], {
    env,
    input: options.message ?? "Change",
  });
  await git(repository, ["update-ref", `refs/heads/${branch}`, commit]);
  return commit;
}
