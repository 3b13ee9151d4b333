import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ENGINE_DIRECTORY } from "../sources/copyTree.ts";

const run = promisify(execFile);

const GIT_MS = 120_000;
/** The same tree gives the same commit. */
const AUTHOR = {
  GIT_AUTHOR_NAME: "VibeHQ",
  GIT_AUTHOR_EMAIL: "vibehq@localhost",
  GIT_AUTHOR_DATE: "2000-01-01T00:00:00Z",
  GIT_COMMITTER_NAME: "VibeHQ",
  GIT_COMMITTER_EMAIL: "vibehq@localhost",
  GIT_COMMITTER_DATE: "2000-01-01T00:00:00Z",
};
/** A repository's attributes must not change what bytes are compared: this file of the git directory wins over them. */
const ATTRIBUTES = "* -text !eol -ident !filter !working-tree-encoding !diff !merge\n";

/** What changed between the base and the tree as it stands. */
export interface TreeChange {
  path: string;
  /** As git writes them; 000000 where there is no file. */
  modeBefore: string;
  modeAfter: string;
}

/**
 * The git directory that a run's diff is taken with. It stands outside of the worktree, so whatever an agent does to
 * the `.git` in it (commits, hooks, config, a file system monitor) has no part in that. No configuration but git's own
 * defaults is read, and no program is started.
 */
export class ReferenceGit {
  readonly #gitDir: string;
  readonly #tree: string;

  constructor(gitDir: string, tree: string) {
    this.#gitDir = gitDir;
    this.#tree = tree;
  }

  /** Commits the tree as it stands, and gives the worktree a repository of its own with that commit. */
  async base(): Promise<string> {
    await mkdir(this.#gitDir, { recursive: true });
    await this.#git(["init", "--quiet", "--template=", "--initial-branch=main"]);
    await mkdir(join(this.#gitDir, "info"), { recursive: true });
    await writeFile(join(this.#gitDir, "info/attributes"), ATTRIBUTES);
    await writeFile(join(this.#gitDir, "info/exclude"), `/${ENGINE_DIRECTORY}/\n`);
    await this.#add("--force");
    await this.#git([
      "commit",
      "--quiet",
      "--allow-empty",
      "--no-verify",
      "--no-gpg-sign",
      "-m",
      "The workspace as it stood",
    ]);
    const commit = (await this.#git(["rev-parse", "--verify", "HEAD"])).trim();
    const own = join(this.#tree, ".git");
    await cp(this.#gitDir, own, { recursive: true });
    return commit;
  }

  /** Takes in the tree as it stands: ignored files that are new stay out, whatever the base has does not. */
  async stage(base: string): Promise<TreeChange[]> {
    await this.#git(["read-tree", base]);
    await this.#add();
    const raw = await this.#git(["diff", "--cached", "--raw", "-z", "--no-renames", ...PLAIN, base]);
    const parts = raw.split("\0");
    const changes: TreeChange[] = [];
    for (let index = 0; index + 1 < parts.length; index += 2) {
      const [modeBefore = "", modeAfter = ""] = (parts[index] ?? "").slice(1).split(" ");
      changes.push({ path: parts[index + 1] ?? "", modeBefore, modeAfter });
    }
    return changes;
  }

  /** Lines added and removed of each staged file; null where git takes it for binary. Renamed files bear their new name. */
  async numbers(base: string): Promise<{ path: string; added: number | null; removed: number | null }[]> {
    const text = await this.#git(["diff", "--cached", "--numstat", "-z", "-M", ...PLAIN, base]);
    const parts = text.split("\0");
    const rows: { path: string; added: number | null; removed: number | null }[] = [];
    for (let index = 0; index < parts.length && parts[index] !== ""; index += 1) {
      const [added = "", removed = "", name = ""] = (parts[index] ?? "").split("\t");
      // A renamed file's old and new name follow.
      const path = name === "" ? (parts[(index += 2)] ?? "") : name;
      rows.push({
        path,
        added: added === "-" ? null : Number(added),
        removed: removed === "-" ? null : Number(removed),
      });
    }
    return rows;
  }

  /** The staged change as bytes; null where it is over `limit` bytes. */
  async diff(base: string, limit: number): Promise<Buffer | null> {
    try {
      const { stdout } = await run("git", ["diff", "--cached", "--binary", "--full-index", "-M", ...PLAIN, base], {
        ...this.#options(),
        encoding: "buffer",
        maxBuffer: limit,
      });
      return stdout;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return null;
      throw error;
    }
  }

  /** The whole tree but for the engine's own directory, whatever a `.gitignore` in it says of that. */
  async #add(...options: string[]): Promise<void> {
    await this.#git(["add", "--all", ...options, "--", "."]);
    await this.#git(["rm", "-r", "--quiet", "--cached", "--force", "--ignore-unmatch", "--", ENGINE_DIRECTORY]);
  }

  async #git(args: string[]): Promise<string> {
    const { stdout } = await run("git", args, { ...this.#options(), encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  #options() {
    return {
      cwd: this.#tree,
      timeout: GIT_MS,
      killSignal: "SIGKILL" as const,
      env: {
        ...AUTHOR,
        PATH: process.env.PATH ?? "",
        HOME: this.#gitDir,
        LC_ALL: "C",
        GIT_DIR: this.#gitDir,
        GIT_WORK_TREE: this.#tree,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_ATTR_NOSYSTEM: "1",
        GIT_TERMINAL_PROMPT: "0",
        GIT_OPTIONAL_LOCKS: "0",
        GIT_LITERAL_PATHSPECS: "0",
      },
    };
  }
}

const PLAIN = [
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "--ignore-submodules=none",
  "--src-prefix=a/",
  "--dst-prefix=b/",
];
