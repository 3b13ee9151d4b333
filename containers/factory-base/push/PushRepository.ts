import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Milliseconds for one git command, of which some send a whole tree. */
const GIT_MS = 300_000;
const MAX_OUTPUT = 64 * 1024 * 1024;

/** How a command of git's ended badly. */
export class GitFailure extends Error {
  readonly stderr: string;
  readonly timedOut: boolean;

  constructor(stderr: string, timedOut: boolean) {
    super("git failed");
    this.stderr = stderr;
    this.timedOut = timedOut;
  }
}

export interface RemoteRefs {
  /** Full name → commit. */
  refs: ReadonlyMap<string, string>;
  /** The branch that HEAD stands for. */
  defaultRef: string | null;
}

export interface CommitRecord {
  tree: string;
  /** The first one; null: it has none. */
  parent: string | null;
  message: string;
}

/**
 * A throw-away repository to make one commit in and push it, with nothing of the machine's configuration, no hooks,
 * filters or prompts. The token is an `http.extraHeader` for the remote's address, given in the environment of the
 * commands that speak to it: git hands it to no other address, and redirects are not followed.
 */
export class PushRepository {
  readonly #directory: string;
  readonly #remote: string;
  readonly #header: string;
  readonly #worktree: string;

  constructor(options: { directory: string; worktree: string; remote: string; token: string }) {
    this.#directory = join(options.directory, "repository");
    this.#worktree = options.worktree;
    this.#remote = options.remote;
    this.#header = `Authorization: Basic ${Buffer.from(`x-access-token:${options.token}`).toString("base64")}`;
  }

  async init(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await this.#git(["init", "--quiet", "--bare", "--template=", "--", this.#directory]);
    // What a tree's own attributes say is followed, what this machine's say is not.
    await mkdir(join(this.#directory, "info"), { recursive: true });
    await writeFile(join(this.#directory, "info/attributes"), "");
  }

  async remoteRefs(names: readonly string[]): Promise<RemoteRefs> {
    const out = await this.#git(["ls-remote", "--symref", "--end-of-options", this.#remote, "HEAD", ...names], {
      online: true,
    });
    const refs = new Map<string, string>();
    let defaultRef: string | null = null;
    for (const line of out.split("\n")) {
      const [value = "", name = ""] = line.split("\t");
      if (name === "HEAD" && value.startsWith("ref: ")) defaultRef = value.slice("ref: ".length);
      else if (name === "HEAD" || names.includes(name)) refs.set(name, value);
    }
    return { refs, defaultRef };
  }

  /** Brings one commit and its tree here; false where the remote has none by that id. */
  async fetch(commit: string): Promise<boolean> {
    try {
      await this.#git(
        [
          "fetch",
          "--quiet",
          "--depth=1",
          "--no-tags",
          "--no-recurse-submodules",
          "--no-auto-maintenance",
          "--no-write-fetch-head",
          "--end-of-options",
          this.#remote,
          commit,
        ],
        { online: true },
      );
      return true;
    } catch (error) {
      if (error instanceof GitFailure && /not our ref|unadvertised object|couldn't find remote ref/i.test(error.stderr))
        return false;
      throw error;
    }
  }

  async read(commit: string): Promise<CommitRecord> {
    // As it is stored: `log` hides the parents that were not fetched.
    const out = await this.#git(["cat-file", "commit", commit]);
    const end = out.indexOf("\n\n");
    const header = out.slice(0, end);
    return {
      tree: /^tree (\S+)$/m.exec(header)?.[1] ?? "",
      parent: /^parent (\S+)$/m.exec(header)?.[1] ?? null,
      message: out.slice(end + 2),
    };
  }

  /**
   * The tree of `parent` with its regular files replaced by those given: what a workspace cannot hold (links, submodules,
   * the engine's own directory) stays as it is there.
   */
  async writeTree(parent: string | null, files: readonly string[], keep: (path: string) => boolean): Promise<string> {
    await this.#git(parent === null ? ["read-tree", "--empty"] : ["read-tree", "--end-of-options", parent]);
    const wanted = new Set(files);
    const gone = (await this.#git(["ls-files", "--stage", "-z"]))
      .split("\0")
      .map((record) => /^(\d{6}) [0-9a-f]+ \d\t([\s\S]+)$/.exec(record))
      .flatMap((entry) => (entry?.[1]?.startsWith("100") === true && entry[2] !== undefined ? [entry[2]] : []))
      .filter((path) => !wanted.has(path) && !keep(path));
    if (gone.length > 0) {
      await this.#git(["update-index", "-z", "--force-remove", "--stdin"], {
        input: gone.map((path) => `${path}\0`).join(""),
        env: { GIT_WORK_TREE: this.#worktree },
      });
    }
    await this.#git(["update-index", "-z", "--add", "--replace", "--stdin"], {
      input: files.map((path) => `${path}\0`).join(""),
      env: { GIT_WORK_TREE: this.#worktree },
    });
    return (await this.#git(["write-tree"])).trim();
  }

  async commit(options: {
    tree: string;
    parent: string | null;
    message: string;
    author: { name: string; email: string };
    at: Date;
  }): Promise<string> {
    const { tree, parent, message, author, at } = options;
    const date = `${Math.floor(at.getTime() / 1000)} +0000`;
    const out = await this.#git(["commit-tree", tree, ...(parent === null ? [] : ["-p", parent])], {
      input: message,
      env: {
        GIT_AUTHOR_NAME: author.name,
        GIT_AUTHOR_EMAIL: author.email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: author.name,
        GIT_COMMITTER_EMAIL: author.email,
        GIT_COMMITTER_DATE: date,
      },
    });
    return out.trim();
  }

  /** Sets the remote's branch, if it still is where it was seen: `before`, null for absent. */
  async push(commit: string, ref: string, before: string | null): Promise<void> {
    await this.#git(
      [
        "push",
        "--quiet",
        "--porcelain",
        "--no-verify",
        "--no-follow-tags",
        "--recurse-submodules=no",
        `--force-with-lease=${ref}:${before ?? ""}`,
        "--end-of-options",
        this.#remote,
        `${commit}:${ref}`,
      ],
      { online: true },
    );
  }

  async #git(
    args: readonly string[],
    options: { online?: boolean; input?: string; env?: Record<string, string> } = {},
  ): Promise<string> {
    const settings: [string, string][] = [
      ["core.hooksPath", "/dev/null"],
      ["core.fileMode", "true"],
      ["core.autocrlf", "false"],
      ["core.attributesFile", "/dev/null"],
      ["core.fsmonitor", "false"],
      ["credential.helper", ""],
      ["http.followRedirects", "false"],
      ["protocol.version", "2"],
      ["gc.auto", "0"],
      ...(options.online === true
        ? [[`http.${this.#remote}.extraHeader`, this.#header] satisfies [string, string]]
        : []),
    ];
    const work = run("git", args, {
      cwd: this.#worktree,
      timeout: GIT_MS,
      killSignal: "SIGKILL",
      maxBuffer: MAX_OUTPUT,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: this.#directory,
        LC_ALL: "C",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_ATTR_NOSYSTEM: "1",
        GIT_TERMINAL_PROMPT: "0",
        GIT_ASKPASS: "",
        GIT_ALLOW_PROTOCOL: "https:http",
        GIT_OPTIONAL_LOCKS: "0",
        GIT_DIR: this.#directory,
        ...options.env,
        GIT_CONFIG_COUNT: String(settings.length),
        ...Object.fromEntries(
          settings.flatMap(([key, value], index) => [
            [`GIT_CONFIG_KEY_${index}`, key],
            [`GIT_CONFIG_VALUE_${index}`, value],
          ]),
        ),
      },
    });
    // A git that ends before it has read its input says why on stderr.
    work.child.stdin?.on("error", () => undefined);
    work.child.stdin?.end(options.input ?? "");
    try {
      return (await work).stdout;
    } catch (error) {
      const output = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
      const printed = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
      const killed = error instanceof Error && "killed" in error && error.killed === true;
      // With --porcelain a rejection is told on stdout.
      throw new GitFailure(`${output}\n${printed}`, killed);
    }
  }
}
