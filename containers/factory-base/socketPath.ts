import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The longest path that a socket's address holds on every system: `sun_path` less its end (unix(7)). */
const MAX_BYTES = 103;

/**
 * Where the host of a data directory listens for `patchctl`: always the same path, so that what workspaces remember of
 * it holds over restarts. In the data directory, or, where that is too deep for a socket's address, in a directory below
 * the system's temporary one. Null where that one is not this user's alone.
 */
export function socketPathOf(dataDir: string): string | null {
  const beside = join(dataDir, "patchctl.sock");
  if (Buffer.byteLength(beside) <= MAX_BYTES) return beside;
  const directory = join(tmpdir(), `vibehq-${process.getuid?.() ?? 0}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stat = lstatSync(directory);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0) return null;
  const path = join(directory, `${createHash("sha256").update(dataDir).digest("hex").slice(0, 24)}.sock`);
  return Buffer.byteLength(path) <= MAX_BYTES ? path : null;
}
