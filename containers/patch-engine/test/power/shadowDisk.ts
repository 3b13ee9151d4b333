import { createHash } from "node:crypto";
import type { Operation } from "./recordingFs.ts";

/**
 * What may stand on a disk after the power fails: a model of POSIX at its least. Bytes are kept for sure once their file
 * was synced, a name (created, renamed, removed) once its directory was; of everything else any part may be kept.
 */

interface File {
  bytes: Buffer;
  mode: number;
}

/** A disk's content: files and, as null, directories, by path. */
export type Content = Map<string, File | null>;

export interface Loss {
  name: string;
  content: Content;
  /** False: only the process died, and the kernel lives on. */
  powerLost: boolean;
}

type Names = Extract<Operation, { kind: "names" }>;
type Data = Extract<Operation, { kind: "write" | "truncate" | "mode" }>;

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** What may be found when it ends right after `operations`, on a disk that began as `initial`. */
export function lossesAfter(initial: Content, operations: readonly Operation[]): Loss[] {
  const syncedData = new Map<number, number>();
  const syncedNames = new Map<string, number>();
  operations.forEach((operation, at) => {
    if (operation.kind === "sync") syncedData.set(operation.inode, at);
    if (operation.kind === "sync-directory") syncedNames.set(operation.path, at);
  });
  const nameIsSafe = (operation: Names, at: number) =>
    operation.set.every(({ path }) => (syncedNames.get(parentOf(path)) ?? -1) > at);
  const dataIsSafe = (operation: Data, at: number) => (syncedData.get(operation.inode) ?? -1) > at;

  const pending = operations.flatMap((one, at) => (one.kind === "names" && !nameIsSafe(one, at) ? [at] : []));
  const build = (keepName: (at: number) => boolean, data: "kept" | "lost" | "torn"): Content => {
    const inodes = new Map<number, File>();
    const inode = (number: number): File => {
      let file = inodes.get(number);
      if (!file) inodes.set(number, (file = { bytes: Buffer.alloc(0), mode: 0o644 }));
      return file;
    };
    const names = new Map<string, number | null | "initial">([...initial.keys()].map((path) => [path, "initial"]));
    const directories = new Set([...initial].flatMap(([path, file]) => (file === null ? [path] : [])));
    operations.forEach((operation, at) => {
      if (operation.kind === "names") {
        if (!nameIsSafe(operation, at) && !keepName(at)) return;
        for (const { path, inode: target } of operation.set) {
          names.set(path, target);
          if (operation.directory) directories.add(path);
        }
      } else if (operation.kind === "write" || operation.kind === "truncate" || operation.kind === "mode") {
        if (!dataIsSafe(operation, at) && data === "lost") return;
        change(inode(operation.inode), operation, !dataIsSafe(operation, at) && data === "torn");
      }
    });
    const content: Content = new Map();
    for (const [path, target] of [...names].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const parent = parentOf(path);
      if (target === null || (parent !== "" && content.get(parent) !== null)) continue;
      const standing = target === "initial" ? initial.get(path) : directories.has(path) ? null : inode(target);
      if (standing !== undefined) content.set(path, standing);
    }
    return content;
  };

  const all = () => true;
  const none = () => false;
  return [
    { name: "the process alone", content: build(all, "kept"), powerLost: false },
    { name: "nothing that was not written", content: build(all, "kept"), powerLost: true },
    { name: "all that was not synced", content: build(none, "lost"), powerLost: true },
    { name: "all bytes that were not synced", content: build(all, "lost"), powerLost: true },
    { name: "half of each write that was not synced", content: build(all, "torn"), powerLost: true },
    { name: "all names that were not synced", content: build(none, "kept"), powerLost: true },
    ...pending.flatMap((one) => [
      { name: `only the name ${one}`, content: build((at) => at !== one, "kept"), powerLost: true },
      { name: `all names but ${one}`, content: build((at) => at === one, "kept"), powerLost: true },
    ]),
  ];
}

function change(file: File, operation: Data, torn: boolean): void {
  if (operation.kind === "mode") file.mode = operation.mode;
  else if (operation.kind === "truncate") file.bytes = file.bytes.subarray(0, operation.size);
  else {
    const bytes = torn ? operation.bytes.subarray(0, operation.bytes.length >> 1) : operation.bytes;
    const grown = Buffer.alloc(Math.max(file.bytes.length, operation.at + bytes.length));
    file.bytes.copy(grown);
    bytes.copy(grown, operation.at);
    file.bytes = grown;
  }
}

/** Equal for equal contents. */
export function keyOf({ content, powerLost }: Loss): string {
  const hash = createHash("sha256").update(String(powerLost));
  for (const [path, file] of content) hash.update(`\0${path}\0${file?.mode ?? "-"}\0`).update(file?.bytes ?? "");
  return hash.digest("hex");
}
