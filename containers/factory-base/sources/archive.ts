import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fail, type Result } from "@shared/contracts";
import { readTarball, TarballError } from "patch-engine";
import type { ReadEntry } from "tar";
import { ENGINE_DIRECTORY, permissionsOf } from "./copyTree.ts";
import {
  resolveBelowRoots,
  type Materialize,
  type SkippedFile,
  type SourceContext,
  type SourceLimits,
} from "./source.ts";

/**
 * A gzipped tarball with one leading directory, which is stripped. Made by strangers, so it is all or nothing: one link,
 * device, absolute path or `..` refuses the archive, as do too many entries and too many unpacked bytes. What it says
 * of the engine's own directory is skipped, a policy included: a policy names a command.
 */
export const materializeArchive: Materialize<"archive"> = async (source, into, context) => {
  const opened = await openArchive(source, context);
  if (!opened.ok) return opened;
  const { sha256 } = opened;
  if (source.sha256 !== undefined && source.sha256 !== sha256) {
    return fail("SOURCE_INVALID", "the archive is not the one that `sha256` names", { currentSha256: sha256 });
  }
  const unpacked = await unpack(opened.read(), into, context.limits);
  if (!unpacked.ok) return unpacked;
  const recorded =
    source.path === undefined
      ? { kind: source.kind, base64: "", sha256 }
      : { kind: source.kind, path: source.path, sha256 };
  return { ok: true, pin: null, recorded, skipped: unpacked.skipped };
};

interface OpenArchive {
  sha256: string;
  read(): Readable;
}

async function openArchive(
  source: Parameters<typeof materializeArchive>[0],
  { sourceRoots, limits }: SourceContext,
): Promise<Result<OpenArchive>> {
  if (source.path === undefined) {
    const bytes = Buffer.from(source.base64 ?? "", "base64");
    return { ok: true, sha256: createHash("sha256").update(bytes).digest("hex"), read: () => Readable.from([bytes]) };
  }
  const resolved = await resolveBelowRoots(source.path, sourceRoots);
  if (!resolved.ok) return resolved;
  const { path } = resolved;
  const stats = await stat(path);
  if (!stats.isFile()) return fail("SOURCE_INVALID", "the archive is not a regular file");
  if (stats.size > limits.archiveBytes) return fail("SOURCE_INVALID", "the archive is too large");
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return { ok: true, sha256: hash.digest("hex"), read: () => createReadStream(path) };
}

async function unpack(
  compressed: Readable,
  into: string,
  limits: SourceLimits,
): Promise<Result<{ skipped: SkippedFile[] }>> {
  const skipped: SkippedFile[] = [];
  const directories = new Set<string>();
  let entries = 0;
  let bytes = 0;

  const take = async (entry: ReadEntry, signal: AbortSignal): Promise<void> => {
    entries += 1;
    if (entries > limits.entries) throw new TarballError("the archive has too many entries");
    bytes += entry.size;
    if (bytes > limits.unpackedBytes) throw new TarballError("the archive unpacks to too much");
    const path = strippedPath(entry);
    if (path === null || DIRECTORY_ENTRIES.has(entry.type)) {
      entry.resume();
      return;
    }
    if (path === ENGINE_DIRECTORY || path.startsWith(`${ENGINE_DIRECTORY}/`) || /(?:^|\/)\.git(?:\/|$)/.test(path)) {
      skipped.push({ path, reason: "engine state" });
      entry.resume();
      return;
    }
    const target = join(into, path);
    if (!directories.has(dirname(target))) {
      await mkdir(dirname(target), { recursive: true });
      directories.add(dirname(target));
    }
    // Exclusive: an archive that names a path twice does not say which one it means.
    await pipeline(Readable.from(entry), createWriteStream(target, { flags: "wx" }), { signal });
    await chmod(target, permissionsOf(entry.mode ?? 0o644));
  };

  try {
    await readTarball(compressed, { maxBytes: limits.unpackedBytes }, take);
  } catch (error) {
    return fail("SOURCE_INVALID", reasonOf(error));
  }
  if (entries === 0) return fail("SOURCE_INVALID", "the archive is empty");
  return { ok: true, skipped };
}

const DIRECTORY_ENTRIES: ReadonlySet<string> = new Set(["Directory", "GNUDumpDir"]);
const PLAIN_ENTRIES: ReadonlySet<string> = new Set(["File", "OldFile", "ContiguousFile", ...DIRECTORY_ENTRIES]);

/** The entry's path below the archive's leading directory; null for that directory itself. */
function strippedPath(entry: ReadEntry): string | null {
  if (!PLAIN_ENTRIES.has(entry.type)) {
    throw new TarballError(`the archive has an entry that is neither a file nor a directory (${entry.type})`);
  }
  const segments = entry.path.replace(/^\.\//, "").replace(/\/$/, "").split("/");
  if (entry.path.includes("\0") || segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw new TarballError("the archive has a path that is absolute or leads elsewhere");
  }
  const isDirectory = DIRECTORY_ENTRIES.has(entry.type);
  if (segments.length === 1 && !isDirectory) throw new TarballError("the archive has no leading directory");
  return segments.length === 1 ? null : segments.slice(1).join("/");
}

/** Why an archive was refused; what is this machine's own trouble (a full disk) is thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof TarballError) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EEXIST" || code === "ENOTDIR" || code === "EISDIR") return "the archive names one path twice";
  if (code === "ENAMETOOLONG") return "the archive has a path that is too long";
  throw error;
}
