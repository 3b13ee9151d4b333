import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { FileMode } from "@shared/contracts";
import { sha256, TreeHash, type FileEffect } from "../../core/index.ts";

/** What a compiler reads of a project. */
const READ_BY_COMPILER = /\.(?:[cm]?[jt]sx?|json)$/u;
export const readByCompiler = (path: string): boolean => READ_BY_COMPILER.test(path);

const NOT_SOURCE: ReadonlySet<string> = new Set([".git", ".mission_control"]);
const AT_ONCE = 32;

/**
 * A copy of what a compiler reads of a workspace, in a directory of its own. It is copied, not linked: the engine
 * refuses files with two names, and nothing that runs in the copy can reach the files it was made from. Installed
 * packages are linked, read where they are; links between the workspace's own packages lead to their copies.
 */
export class Overlay {
  readonly directory: string;
  readonly #files: ReadonlyMap<string, string>;
  readonly #packages: string;

  private constructor(directory: string, files: ReadonlyMap<string, string>, packages: string) {
    this.directory = directory;
    this.#files = files;
    this.#packages = packages;
  }

  /** Makes the copy anew at `directory`, whose parents are there. */
  static async make(root: string, directory: string): Promise<Overlay> {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    const paths: string[] = [];
    const packages = createHash("sha256");
    const visit = (path: string): void => {
      mkdirSync(join(directory, path), { recursive: true });
      for (const entry of readdirSync(join(root, path), { withFileTypes: true }).toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      )) {
        const child = path === "" ? entry.name : `${path}/${entry.name}`;
        if (entry.name === "node_modules") linkPackages(root, directory, child, packages);
        else if (NOT_SOURCE.has(entry.name)) continue;
        else if (entry.isDirectory()) visit(child);
        else if (entry.isFile() && readByCompiler(child)) paths.push(child);
        else if (entry.isSymbolicLink()) copyLink(root, directory, child);
      }
    };
    visit("");
    const files = new Map<string, string>();
    const queue = paths.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const path of queue) {
          const bytes = await readFile(join(root, path));
          files.set(path, sha256(bytes));
          await writeFile(join(directory, path), bytes);
        }
      }),
    );
    return new Overlay(directory, files, packages.digest("hex"));
  }

  /** Writes what a plan makes of files, null for those it takes away, and answers with the copy as it then is. */
  async with(effects: ReadonlyMap<string, FileEffect>): Promise<Overlay> {
    const files = new Map(this.#files);
    for (const [path, effect] of effects) {
      if (!readByCompiler(path)) continue;
      const target = join(this.directory, path);
      rmSync(target, { force: true });
      if (effect === null) files.delete(path);
      else {
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, effect.bytes);
        files.set(path, effect.sha256);
      }
    }
    return new Overlay(this.directory, files, this.#packages);
  }

  /** The paths of the copied files, sorted. */
  paths(): string[] {
    return [...this.#files.keys()].toSorted();
  }

  /** Names the state by content: the tree hash of what the compiler reads, and the packages installed beside it. */
  get key(): string {
    const tree = new TreeHash();
    const mode: FileMode = "100644";
    for (const [path, hash] of this.#files) tree.set(path, mode, hash);
    return sha256(`${tree.digest()}\n${this.#packages}`);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

interface Digest {
  update(text: string): unknown;
}

/** Links the packages of a `node_modules`, those of a scope among them. */
function linkPackages(root: string, directory: string, path: string, digest: Digest): void {
  const from = join(root, path);
  if (!lstatSync(from).isDirectory()) return copyLink(root, directory, path);
  mkdirSync(join(directory, path), { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const child = `${path}/${entry.name}`;
    if (entry.name === ".bin" || entry.name === ".cache") continue;
    if (entry.name.startsWith("@") && entry.isDirectory()) linkPackages(root, directory, child, digest);
    else if (entry.isSymbolicLink()) {
      digest.update(`${child} ${readlinkSync(join(root, child))}\n`);
      copyLink(root, directory, child);
    } else {
      const { mtimeMs, size } = lstatSync(join(root, child));
      digest.update(`${child} ${mtimeMs} ${size}\n`);
      symlinkSync(join(root, child), join(directory, child));
    }
  }
}

/** Copies a link that stays in the root so that it stays in the copy; any other is left out. */
function copyLink(root: string, directory: string, path: string): void {
  const target = resolve(dirname(join(root, path)), readlinkSync(join(root, path)));
  const inside = relative(root, target);
  if (inside === "" || inside.startsWith(`..${sep}`) || inside === "..") return;
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  symlinkSync(relative(dirname(join(directory, path)), join(directory, inside)), join(directory, path));
}
