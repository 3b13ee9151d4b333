import { execFile } from "node:child_process";
import { lstat, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { promisify } from "node:util";
import { fail, type Result } from "@shared/contracts";
import { copyTree } from "./copyTree.ts";
import { resolveBelowRoots, type Materialize, type SourceContext } from "./source.ts";

const run = promisify(execFile);

/** A full commit id, or a branch or tag by name. Never an option, a refspec or a revision expression. */
const REF = /^(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)))[A-Za-z0-9][A-Za-z0-9._/@+-]{0,199}(?<![./])$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * One commit of a git repository, as git would check it out, without history: the workspace keeps no `.git`. The pin is
 * the commit's id; given a pin, exactly that commit is fetched, wherever the ref points by now. The source is only ever
 * read: `git fetch` runs in a repository of its own, with no hooks, filters, submodules, prompts or user configuration.
 * A policy in the repository is taken from a local one alone: a policy names a command, and a stranger's is not run.
 */
export const materializeGit: Materialize<"git"> = async (source, into, context) => {
  const remote = await resolveRemote(source.repository, context);
  if (!remote.ok) return remote;
  if (source.ref !== undefined && !REF.test(source.ref)) return fail("SOURCE_INVALID", "the ref is not a ref's name");
  if (context.pin !== undefined && !COMMIT.test(context.pin)) return fail("SOURCE_INVALID", "the pin is not a commit");

  const repository = join(context.scratch, "repository");
  const checkout = join(context.scratch, "checkout");
  const config = join(context.scratch, "gitconfig");
  await mkdir(checkout, { recursive: true });
  // The one place that upload-pack of a local source reads it from: options on the command line do not reach it.
  await writeFile(config, "[safe]\n\tdirectory = *\n");
  const git = (...args: string[]) =>
    run("git", args, {
      cwd: context.scratch,
      timeout: context.limits.gitMs,
      killSignal: "SIGKILL",
      maxBuffer: 16 * 1024 * 1024,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: context.scratch,
        LC_ALL: "C",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: config,
        GIT_ATTR_NOSYSTEM: "1",
        GIT_TERMINAL_PROMPT: "0",
        GIT_ASKPASS: "",
        GIT_ALLOW_PROTOCOL: remote.protocol,
        GIT_NO_LAZY_FETCH: "1",
        GIT_OPTIONAL_LOCKS: "0",
      },
    });

  try {
    await git("init", "--quiet", "--bare", "--template=", "--", repository);
    const inside = ["--git-dir", repository, "-c", "core.hooksPath=/dev/null", "-c", "protocol.version=2"];
    const wanted = context.pin ?? source.ref ?? "HEAD";
    await git(
      ...inside,
      "fetch",
      "--quiet",
      "--depth=1",
      "--no-tags",
      "--no-recurse-submodules",
      "--no-auto-maintenance",
      "--no-write-commit-graph",
      "--end-of-options",
      remote.address,
      wanted,
    );
    const { stdout } = await git(
      ...inside,
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      "FETCH_HEAD^{commit}",
    );
    const commit = stdout.trim();
    if (context.pin !== undefined && commit !== context.pin) {
      return fail("SOURCE_INVALID", "the repository no longer has the pinned commit");
    }
    await git(...inside, "--work-tree", checkout, "checkout", "--quiet", "--force", "--detach", commit);
    const copied = await copyTree(checkout, into, {
      exclude: [],
      takePolicy: remote.local,
      leftOut: new Set([".git"]),
      limits: context.limits,
    });
    return copied.ok ? { ok: true, pin: commit, recorded: source, skipped: copied.skipped } : copied;
  } catch (error) {
    if (isMissingProgram(error)) return fail("SOURCE_INVALID", "this host has no git");
    return fail("SOURCE_INVALID", explain(error, [remote.address, context.scratch]));
  } finally {
    await rm(checkout, { recursive: true, force: true });
    await rm(repository, { recursive: true, force: true });
  }
};

interface Remote {
  address: string;
  protocol: "https" | "file";
  local: boolean;
}

async function resolveRemote(repository: string, context: SourceContext): Promise<Result<Remote>> {
  if (isAbsolute(repository)) return resolveLocal(repository, context);
  const refused = fail("SOURCE_INVALID", "the repository is neither an https URL nor an absolute path");
  if (!URL.canParse(repository) || !repository.startsWith("https://")) return refused;
  const url = new URL(repository);
  if (url.username !== "" || url.password !== "") {
    // It would be remembered and shown with the workspace.
    return fail("SOURCE_INVALID", "the repository's URL carries credentials");
  }
  return { ok: true, address: url.href, protocol: "https", local: false };
}

/** A repository below a source root, with all that it borrows from: a linked worktree's repository, its alternates. */
async function resolveLocal(repository: string, { sourceRoots }: SourceContext): Promise<Result<Remote>> {
  const resolved = await resolveBelowRoots(repository, sourceRoots);
  if (!resolved.ok) return resolved;
  const gitDirectory = await gitDirectoryOf(resolved.path);
  const common = await readLine(join(gitDirectory, "commondir"));
  const store = common === null ? gitDirectory : resolve(gitDirectory, common);
  const alternates = (await readLines(join(store, "objects/info/alternates"))).map((line) =>
    resolve(store, "objects", line),
  );
  for (const path of [gitDirectory, store, ...alternates]) {
    const inside = await resolveBelowRoots(path, sourceRoots);
    if (!inside.ok)
      return fail("SOURCE_INVALID", "the repository's objects are not below one of this host's source roots");
  }
  return { ok: true, address: resolved.path, protocol: "file", local: true };
}

async function gitDirectoryOf(repository: string): Promise<string> {
  const dotGit = join(repository, ".git");
  const stats = await lstat(dotGit).catch(() => null);
  // A bare repository has none.
  if (stats === null) return repository;
  if (!stats.isFile()) return dotGit;
  const link = (await readLine(dotGit)) ?? "";
  return resolve(repository, link.replace(/^gitdir: /, ""));
}

async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const readLine = async (path: string): Promise<string | null> => (await readLines(path))[0] ?? null;

const isMissingProgram = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT" && "syscall" in error;

/** Git's own last word, without the places of this machine. */
function explain(error: unknown, places: readonly string[]): string {
  if (error instanceof Error && "killed" in error && error.killed === true) return "git took too long";
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
  const line = stderr.split("\n").findLast((text) => /^(?:fatal|error): /.test(text));
  if (line === undefined) return "git could not read the repository";
  return places.reduce((text, place) => text.replaceAll(place, "the repository"), line).slice(0, 300);
}
