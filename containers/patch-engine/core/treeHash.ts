import type { FileMode } from "@shared/contracts";
import { canonicalText, sha256 } from "./canonical.ts";

/**
 * The hash of a tree of files: SHA-256 over the RFC 8785 JSON of `[path, mode, sha256]`, sorted by the bytes of the
 * path. Kept incrementally: a change costs one sorted insertion, a digest one pass over text that is already made.
 */
export class TreeHash {
  readonly #rows = new Map<string, string>();
  #paths: string[] = [];
  /** Paths set since the last digest that `#paths` does not hold yet. */
  #added = new Set<string>();
  #removed = false;
  #digest: string | null = null;

  set(path: string, mode: FileMode, sha256OfFile: string): void {
    const row = canonicalText([path, mode, sha256OfFile]);
    const known = this.#rows.get(path);
    if (known === row) return;
    if (known === undefined) this.#added.add(path);
    this.#rows.set(path, row);
    this.#digest = null;
  }

  delete(path: string): void {
    if (!this.#rows.delete(path)) return;
    if (!this.#added.delete(path)) this.#removed = true;
    this.#digest = null;
  }

  get size(): number {
    return this.#rows.size;
  }

  digest(): string {
    if (this.#digest === null) {
      this.#sort();
      const rows = this.#paths.map((path) => this.#rows.get(path) ?? "");
      this.#digest = sha256(`[${rows.join(",")}]`);
    }
    return this.#digest;
  }

  /** Merges what was added into the sorted paths, so that one edit in a large tree does not sort it anew. */
  #sort(): void {
    // A path deleted and set again stands in both lists: it is taken out of the old one first.
    if (this.#removed) this.#paths = this.#paths.filter((path) => this.#rows.has(path) && !this.#added.has(path));
    if (this.#added.size > 0) {
      const added = [...this.#added].toSorted(compareBytes);
      const merged: string[] = [];
      let next = 0;
      for (const path of this.#paths) {
        for (let one = added[next]; one !== undefined && compareBytes(one, path) < 0; one = added[++next]) {
          merged.push(one);
        }
        merged.push(path);
      }
      this.#paths = merged.concat(added.slice(next));
    }
    this.#added = new Set();
    this.#removed = false;
  }
}

/**
 * Orders strings by their UTF-8 bytes. JavaScript orders by UTF-16 code units, which puts astral characters, written
 * with surrogates, before U+E000–U+FFFF; their bytes come after.
 */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return afterSurrogates(x) - afterSurrogates(y);
  }
  return a.length - b.length;
}

/** Moves surrogates behind all other code units. */
function afterSurrogates(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
