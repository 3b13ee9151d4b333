import { readdirSync } from "node:fs";
import type { FileMode, LoggedFile, Result } from "@shared/contracts";
import { checkPath, effectsOf, TreeHash } from "../core/index.ts";
import type { Directory } from "./Directory.ts";

export interface TrackedFile {
  mode: FileMode;
  sha256: string;
}

/** A row of the manifest. */
export type ManifestRow = [path: string, mode: FileMode, sha256: string];

type TreeChange = Pick<LoggedFile, "path" | "from" | "kind" | "mode" | "afterSha256">;

/**
 * The files of a workspace as the log says they are: those of its source, listed once in a manifest, and what each
 * entry made of them. The disk may differ where someone wrote around the engine; the tree hash never follows that.
 */
export class TrackedTree {
  readonly #files = new Map<string, TrackedFile>();
  readonly #hash = new TreeHash();

  constructor(rows: Iterable<ManifestRow>) {
    for (const [path, mode, sha256] of rows) this.#set(path, { mode, sha256 });
  }

  get(path: string): TrackedFile | undefined {
    return this.#files.get(path);
  }

  get size(): number {
    return this.#files.size;
  }

  get digest(): string {
    return this.#hash.digest();
  }

  paths(): string[] {
    return [...this.#files.keys()];
  }

  /** Follows an entry or a plan, and answers with what takes it back. */
  apply(files: readonly TreeChange[]): () => void {
    const effects = effectsOf(files, ({ mode, afterSha256 }) => ({
      bytes: new Uint8Array(),
      sha256: afterSha256 ?? "",
      mode,
    }));
    const previous = [...effects.keys()].map((path) => [path, this.#files.get(path)] as const);
    for (const [path, effect] of effects) this.#set(path, effect ?? undefined);
    return () => {
      for (const [path, file] of previous) this.#set(path, file);
    };
  }

  #set(path: string, file: TrackedFile | undefined): void {
    if (file) {
      this.#files.set(path, { mode: file.mode, sha256: file.sha256 });
      this.#hash.set(path, file.mode, file.sha256);
    } else {
      this.#files.delete(path);
      this.#hash.delete(path);
    }
  }
}

/** Installed packages are not source: they are not walked, hashed or tracked. */
const UNTRACKED = new Set(["node_modules"]);

/**
 * Lists a source's files: regular ones, without `.git`, `.mission_control` and `node_modules` at any depth. Symlinks,
 * hard-linked and over-large files are left out: no patch may touch them. A name that is not UTF-8 has no path.
 */
export function walk(root: Directory): Result<{ rows: ManifestRow[] }> {
  const rows: ManifestRow[] = [];
  const visit = (directory: Directory): Result<{}> => {
    const entries = readdirSync(directory.at("."), { withFileTypes: true });
    for (const entry of entries) {
      if (UNTRACKED.has(entry.name) || checkPath(entry.name)?.code === "PATH_FORBIDDEN") continue;
      if (entry.isDirectory()) {
        const child = directory.child(entry.name);
        if (!child.ok) {
          if (child.error.code === "IO_ERROR") return child;
          continue;
        }
        try {
          const visited = visit(child.directory);
          if (!visited.ok) return visited;
        } finally {
          child.directory.close();
        }
      } else if (entry.isFile()) {
        const read = directory.read(entry.name);
        if (!read.ok && read.error.code === "IO_ERROR") return read;
        if (!read.ok || !read.file) continue;
        const { mode, sha256 } = read.file.snapshot;
        rows.push([[...directory.segments, entry.name].join("/"), mode, sha256]);
      }
    }
    return { ok: true };
  };
  const visited = visit(root);
  return visited.ok ? { ok: true, rows } : visited;
}
