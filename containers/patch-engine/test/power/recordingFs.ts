import { vi } from "vitest";

/**
 * `node:fs` as the engine calls it, with every change of the disk written down, and a hook that may fail one. The
 * engine knows nothing of it: a test mocks the module. What really happens on disk is unchanged.
 */

/** One change of the disk. Inodes are numbered as they are met; paths are relative to the watched root. */
export type Operation =
  /** A name now stands for an inode; null: the name is gone. A rename is one operation with both its names. */
  | { kind: "names"; set: { path: string; inode: number | null }[]; directory?: boolean; doing: string }
  | { kind: "write"; inode: number; at: number; bytes: Buffer }
  | { kind: "truncate"; inode: number; size: number }
  | { kind: "mode"; inode: number; mode: number }
  | { kind: "sync"; inode: number }
  | { kind: "sync-directory"; path: string }
  /** The engine has said that entry `seq` is applied. */
  | { kind: "acknowledged"; seq: number };

interface Watch {
  root: string;
  operations: Operation[];
  /** Called before each change; throws to make it fail. */
  before: (doing: string) => void;
  inodes: Map<bigint, number>;
  numbered: number;
}

let watch: Watch | null = null;

export function startRecording(root: string, before: (doing: string) => void = () => undefined): Operation[] {
  const operations: Operation[] = [];
  watch = { root, operations, before, inodes: new Map(), numbered: 0 };
  return operations;
}

export function stopRecording(): void {
  watch = null;
}

type Fs = typeof import("node:fs");
type Path = Parameters<Fs["renameSync"]>[0];
type Callback = (error: NodeJS.ErrnoException | null) => void;

/** The module as a mock of `node:fs` gives it. */
export async function recordingFs(): Promise<Fs> {
  const fs = await vi.importActual<Fs>("node:fs");

  /** The path below the watched root; null for one that is elsewhere. */
  const relative = (path: Path): string | null => {
    if (!watch) return null;
    let text = String(path);
    const named = /^\/proc\/self\/fd\/([0-9]+)(?:\/(.*))?$/u.exec(text);
    if (named) text = [fs.readlinkSync(`/proc/self/fd/${named[1]}`), named[2]].filter(Boolean).join("/");
    text = text.replace(/\/\.(?=\/|$)/gu, "");
    if (text === watch.root) return "";
    return text.startsWith(`${watch.root}/`) ? text.slice(watch.root.length + 1) : null;
  };
  const numberOf = (stats: { ino: bigint }): number => {
    const known = watch?.inodes.get(stats.ino);
    if (known !== undefined || !watch) return known ?? -1;
    const fresh = watch.numbered++;
    watch.inodes.set(stats.ino, fresh);
    return fresh;
  };
  const inodeOf = (fd: number): number => numberOf(fs.fstatSync(fd, { bigint: true }));
  const inodeAt = (path: Path): number => numberOf(fs.lstatSync(path, { bigint: true }));
  /** A file that goes for good gives its number back, or another file would be taken for it. */
  const forgetAt = (path: Path): void => {
    const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats && stats.nlink === 1n) watch?.inodes.delete(stats.ino);
  };
  const pathOf = (fd: number): string | null => relative(`/proc/self/fd/${fd}`);
  const note = (operation: Operation) => watch?.operations.push(operation);
  const about = (doing: string, path: string | null): boolean => {
    if (path === null || !watch) return false;
    watch.before(`${doing} ${path}`);
    return true;
  };

  const openSync = ((path: Path, flags: number, mode?: number) => {
    const place = relative(path);
    const creates = typeof flags === "number" && (flags & fs.constants.O_CREAT) !== 0 && !fs.existsSync(path);
    const seen = creates && about("create", place);
    const fd = fs.openSync(path, flags, mode);
    if (seen && place !== null) {
      const inode = inodeOf(fd);
      note({ kind: "names", set: [{ path: place, inode }], doing: "create" });
      note({ kind: "mode", inode, mode: fs.fstatSync(fd).mode & 0o7777 });
    }
    return fd;
  }) as Fs["openSync"];

  const written = (fd: number, bytes: Buffer, position: number | null) => {
    const at = position ?? fs.fstatSync(fd).size - bytes.length;
    note({ kind: "write", inode: inodeOf(fd), at, bytes: Buffer.from(bytes) });
  };
  const writeSync = ((fd: number, data: Buffer | string, at?: number, encoding?: BufferEncoding) => {
    const seen = about("write", pathOf(fd));
    if (typeof data === "string") {
      const count = fs.writeSync(fd, data, at, encoding);
      if (seen) written(fd, Buffer.from(data, encoding), at ?? null);
      return count;
    }
    const count = fs.writeSync(fd, data, at);
    if (seen) written(fd, data.subarray(at ?? 0, (at ?? 0) + count), null);
    return count;
  }) as Fs["writeSync"];

  const writeFileSync = ((target: number | string, data: string | Uint8Array, options?: { flag?: string }) => {
    const bytes = Buffer.from(data as string);
    if (typeof target === "number") {
      const seen = about("write", pathOf(target));
      fs.writeFileSync(target, data);
      if (seen) written(target, bytes, null);
      return;
    }
    const place = relative(target);
    const creates = !fs.existsSync(target);
    const seen = about("create", place);
    fs.writeFileSync(target, data, options);
    if (!seen || place === null) return;
    const inode = inodeAt(target);
    if (creates) note({ kind: "names", set: [{ path: place, inode }], doing: "create" });
    note({ kind: "write", inode, at: 0, bytes });
  }) as Fs["writeFileSync"];

  const syncing = (really: (fd: number, done: Callback) => void) => (fd: number, done: Callback) => {
    const path = pathOf(fd);
    try {
      about("sync", path);
    } catch (error) {
      return done(error as NodeJS.ErrnoException);
    }
    const directory = path !== null && fs.fstatSync(fd).isDirectory();
    const inode = path === null ? -1 : inodeOf(fd);
    really(fd, (error) => {
      if (!error && path !== null) note(directory ? { kind: "sync-directory", path } : { kind: "sync", inode });
      done(error);
    });
  };

  const remove = (path: Path, doing: string, really: () => void) => {
    const place = relative(path);
    const seen = fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined && about(doing, place);
    if (seen) forgetAt(path);
    really();
    if (seen && place !== null) note({ kind: "names", set: [{ path: place, inode: null }], doing });
  };

  return {
    ...fs,
    openSync,
    writeSync,
    writeFileSync,
    fsync: syncing(fs.fsync) as Fs["fsync"],
    fdatasync: syncing(fs.fdatasync) as Fs["fdatasync"],
    fchmodSync(fd, mode) {
      const seen = about("chmod", pathOf(fd));
      fs.fchmodSync(fd, mode);
      if (seen) note({ kind: "mode", inode: inodeOf(fd), mode: Number(mode) });
    },
    ftruncateSync(fd, size) {
      const seen = about("truncate", pathOf(fd));
      fs.ftruncateSync(fd, size);
      if (seen) note({ kind: "truncate", inode: inodeOf(fd), size: size ?? 0 });
    },
    renameSync(from, to) {
      const [old, place] = [relative(from), relative(to)];
      const seen = about("rename", place);
      if (seen) forgetAt(to);
      fs.renameSync(from, to);
      if (!seen || old === null || place === null) return;
      const set = [
        { path: place, inode: inodeAt(to) },
        { path: old, inode: null },
      ];
      note({ kind: "names", set, doing: "rename" });
    },
    linkSync(from, to) {
      const place = relative(to);
      const seen = about("link", place);
      fs.linkSync(from, to);
      if (seen && place !== null) note({ kind: "names", set: [{ path: place, inode: inodeAt(to) }], doing: "link" });
    },
    unlinkSync: (path) => remove(path, "unlink", () => fs.unlinkSync(path)),
    rmdirSync: (path) => remove(path, "rmdir", () => fs.rmdirSync(path)),
    rmSync: (path, options) => remove(path, "unlink", () => fs.rmSync(path, options)),
    mkdirSync: ((path: Path, options?: { recursive: true }) => {
      const place = relative(path);
      const seen = !fs.existsSync(path) && about("mkdir", place);
      fs.mkdirSync(path, options);
      if (!seen || place === null) return;
      note({ kind: "names", set: [{ path: place, inode: inodeAt(path) }], directory: true, doing: "mkdir" });
    }) as Fs["mkdirSync"],
  };
}
