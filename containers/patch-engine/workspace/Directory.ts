import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  type BigIntStats,
} from "node:fs";
import { join } from "node:path";
import { fail, MAX_FILE_BYTES, type FileMode, type Result } from "@shared/contracts";
import { sha256, type FileSnapshot } from "../core/index.ts";
import { syncFile } from "../transaction/files.ts";
import { errorCode, ioError } from "./systemError.ts";

/** Linux names an open directory as a path, which makes every lookup below it relative to that very directory. */
const DESCRIPTOR_PATHS = existsSync("/proc/self/fd");

/** What the disk holds at a path: the bytes and mode, and what tells a later look whether it is still the same. */
export interface DiskFile {
  snapshot: FileSnapshot;
  /** All permission bits, as the replacement must have them. */
  permissions: number;
  identity: string;
}

const identityOf = (stats: BigIntStats): string =>
  `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${stats.mode}`;

const modeOf = (permissions: number): FileMode => ((permissions & 0o100) === 0 ? "100644" : "100755");

/**
 * A directory of a workspace, held open. It was reached from the root segment by segment without following a symlink,
 * and stays the same directory whatever is swapped in on the way to it afterwards. Where the system cannot name an
 * open directory (no /proc), the real path is compared again at each use instead.
 */
export class Directory {
  readonly segments: readonly string[];
  readonly #fd: number;
  readonly #path: string;

  private constructor(fd: number, path: string, segments: readonly string[]) {
    this.#fd = fd;
    this.#path = path;
    this.segments = segments;
  }

  /** Opens the root itself; throws what the system says. */
  static root(root: string): Directory {
    const path = realpathSync(root);
    return new Directory(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY), path, []);
  }

  /** The system path of an entry. Valid while this directory is open. */
  at(name: string): string {
    if (DESCRIPTOR_PATHS) return `/proc/self/fd/${this.#fd}/${name}`;
    if (realpathSync(this.#path) !== this.#path) throw new Error("a directory was replaced while in use");
    return join(this.#path, name);
  }

  /** Opens a child. FILE_NOT_FOUND where there is none, PATH_FORBIDDEN for a symlink, NOT_A_REGULAR_FILE for a file. */
  child(name: string, create = false): Result<{ directory: Directory; created: boolean }> {
    const path = [...this.segments, name].join("/");
    let created = false;
    if (create) {
      try {
        mkdirSync(this.at(name));
        created = true;
      } catch (error) {
        if (errorCode(error) !== "EEXIST") return ioError(error, `cannot create the directory of ${path}`);
      }
    }
    try {
      const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
      const fd = openSync(this.at(name), flags);
      return {
        ok: true,
        created,
        directory: new Directory(fd, join(this.#path, name), [...this.segments, name]),
      };
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT") return fail("FILE_NOT_FOUND", `there is no directory ${path}`, { file: path });
      if (code !== "ENOTDIR" && code !== "ELOOP") return ioError(error, `cannot open the directory ${path}`);
      const symlink = lstatSync(this.at(name), { throwIfNoEntry: false })?.isSymbolicLink() === true;
      return symlink
        ? fail("PATH_FORBIDDEN", `${path} is a symbolic link; a patch never follows one`, { file: path })
        : fail("NOT_A_REGULAR_FILE", `${path} is not a directory`, { file: path });
    }
  }

  /** What stands at a name, unread; null where nothing does. Symlinks are not followed. */
  identity(name: string): string | null {
    const stats = lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false });
    return stats ? identityOf(stats) : null;
  }

  /**
   * Reads a regular file; null where nothing stands. A file with more than one hard link is refused: an edit replaces
   * the name, which would part it from its other names unseen, and those may lie outside the workspace.
   */
  read(name: string): Result<{ file: DiskFile | null }> {
    const path = [...this.segments, name].join("/");
    let fd: number;
    try {
      fd = openSync(this.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOENT") return { ok: true, file: null };
      if (code === "ELOOP")
        return fail("PATH_FORBIDDEN", `${path} is a symbolic link; a patch never follows one`, { file: path });
      if (code === "ENXIO") return fail("NOT_A_REGULAR_FILE", `${path} is not a regular file`, { file: path });
      return ioError(error, `cannot read ${path}`);
    }
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) return fail("NOT_A_REGULAR_FILE", `${path} is not a regular file`, { file: path });
      if (stats.nlink > 1n) return fail("NOT_A_REGULAR_FILE", `${path} has more than one hard link`, { file: path });
      if (stats.size > BigInt(MAX_FILE_BYTES))
        return fail("FILE_TOO_LARGE", `${path} is larger than ${MAX_FILE_BYTES} bytes`, { file: path });
      const bytes = readFileSync(fd);
      const permissions = Number(stats.mode) & 0o7777;
      return {
        ok: true,
        file: {
          snapshot: { bytes, sha256: sha256(bytes), mode: modeOf(permissions) },
          permissions,
          identity: identityOf(stats),
        },
      };
    } catch (error) {
      return ioError(error, `cannot read ${path}`);
    } finally {
      closeSync(fd);
    }
  }

  /** Makes a file's bytes durable, if one stands there. */
  async syncFile(name: string): Promise<void> {
    if (this.identity(name) === null) return;
    const fd = openSync(this.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      await syncFile(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Makes the names in it durable. */
  sync(): Promise<void> {
    return syncFile(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/**
 * The directory of a path, and the path's last segment. With `created`, missing directories are made and named there,
 * outermost first, also when a later one cannot be.
 */
export function openParent(
  root: Directory,
  path: string,
  created?: string[],
): Result<{ directory: Directory; name: string }> {
  const segments = path.split("/");
  const name = segments.pop() ?? "";
  let current = root;
  for (const segment of segments) {
    const next = current.child(segment, created !== undefined);
    if (current !== root) current.close();
    if (!next.ok) return next;
    current = next.directory;
    if (next.created) created?.push(current.segments.join("/"));
  }
  return { ok: true, directory: current, name };
}

/** Reads the file at a checked path; null where nothing stands there. */
export function readDiskFile(root: Directory, path: string): Result<{ file: DiskFile | null }> {
  const parent = openParent(root, path);
  if (!parent.ok) return parent.error.code === "FILE_NOT_FOUND" ? { ok: true, file: null } : parent;
  try {
    return parent.directory.read(parent.name);
  } finally {
    if (parent.directory !== root) parent.directory.close();
  }
}

/** Makes a file's bytes durable, if one stands there. */
export async function syncDiskFile(root: Directory, path: string): Promise<void> {
  const parent = openParent(root, path);
  if (!parent.ok) return;
  try {
    await parent.directory.syncFile(parent.name);
  } finally {
    if (parent.directory !== root) parent.directory.close();
  }
}
