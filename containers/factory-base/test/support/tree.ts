import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "factory-base-test-")));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function writeTree(root: string, files: Record<string, string>, executable: string[] = []): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    await chmod(join(root, path), executable.includes(path) ? 0o755 : 0o644);
  }
}

/** Relative path → content of every regular file below `root`. */
export async function readTree(root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    tree[path.slice(root.length + 1)] = await readFile(path, "utf8");
  }
  return tree;
}

/** One hash over all that stands below `root`: names, types, modes, times of change, bytes, targets of links. */
export async function fingerprint(root: string): Promise<string> {
  const hash = createHash("sha256");
  const paths = (await readdir(root, { recursive: true })).toSorted();
  for (const path of ["", ...paths]) {
    const stats = await lstat(join(root, path));
    hash.update(`${path}\0${stats.mode}\0${stats.mtimeMs}\0${stats.ctimeMs}\0`);
    if (stats.isFile()) hash.update(await readFile(join(root, path)));
    if (stats.isSymbolicLink()) hash.update(await readlink(join(root, path)));
  }
  return hash.digest("hex");
}
