import type { PatchOperationInput } from "@shared/contracts";
import { applyOriginal, parseFile, type Model } from "./lineModel.ts";

/** A small seeded generator of numbers (mulberry32): the same seed, the same test. */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Makes batches of valid patches for a model, and keeps the model in step with them. */
export class PatchGenerator {
  readonly #model: Model;
  readonly #random: (below: number) => number;
  /** Marker name → the file it stands in. */
  readonly #markers = new Map<string, string>();
  /** Diff → the operation that it is another word for. */
  readonly #diffs = new Map<string, PatchOperationInput>();
  #count = 0;

  constructor(model: Model, seed: number) {
    this.#model = model;
    this.#random = seeded(seed);
  }

  /** `count` patches, each of which speaks of the state that those before it leave. */
  sequential(count: number): PatchOperationInput[] {
    return Array.from({ length: count }, () => {
      const patch = this.#patch(new Claims());
      applyOriginal(this.#model, [this.#modelled(patch)]);
      return patch;
    });
  }

  /** `count` patches, all of which speak of the state before the batch. */
  original(count: number): PatchOperationInput[] {
    const claims = new Claims();
    const patches = Array.from({ length: count }, () => this.#patch(claims));
    applyOriginal(
      this.#model,
      patches.map((patch) => this.#modelled(patch)),
    );
    return patches;
  }

  /** What the model applies: a diff was made of an operation on lines, and is that one there. */
  #modelled(patch: PatchOperationInput): PatchOperationInput {
    return (patch.op === "apply-diff" ? this.#diffs.get(patch.diff) : undefined) ?? patch;
  }

  #patch(claims: Claims): PatchOperationInput {
    for (;;) {
      const patch = this.#candidate(claims);
      if (patch) return { ...patch, id: `P-${++this.#count}` };
    }
  }

  #candidate(claims: Claims): PatchOperationInput | null {
    const file = this.#pick([...this.#model.keys()]);
    const { lines } = this.#model.get(file)!;
    const line = 1 + this.#random(lines.length);
    const kind = this.#random(23);
    if (claims.gone(file) || lines.length < 4) return null;
    if (kind < 5) {
      const end = Math.min(lines.length, line + this.#random(6));
      if (end - line + 1 === lines.length || !claims.take(file, line, end)) return null;
      return { op: "replace-block", file, start: line, end, block: this.#random(4) === 0 ? "" : this.#block() };
    }
    if (kind < 8) return claims.gap(file, line) ? { op: "insert-before", file, line, block: this.#block() } : null;
    if (kind < 10) return claims.gap(file, line + 1) ? { op: "insert-after", file, line, block: this.#block() } : null;
    if (kind === 10) return { op: "append", file, block: this.#block() };
    if (kind === 11) return { op: "prepend", file, block: this.#block() };
    if (kind < 14) return this.#searchReplace(file, lines, line, claims);
    if (kind === 14) return this.#insertMarker(file, line, claims);
    if (kind === 15) return this.#replaceMarker(claims);
    if (kind === 16) return claims.whole(file) ? { op: "delete-file", file } : null;
    const fresh = `src/generated/${this.#count}/file.ts`;
    if (kind === 17) return claims.rename(file) ? { op: "rename-file", file, to: fresh } : null;
    if (kind > 19) return this.#diff(file, line, claims);
    const block = this.#block() + (this.#random(2) === 0 ? "\nconst last = 0;" : "");
    return claims.whole(fresh) ? { op: kind === 18 ? "create-file" : "append", file: fresh, block } : null;
  }

  #searchReplace(file: string, lines: string[], line: number, claims: Claims): PatchOperationInput | null {
    const search = lines[line - 1]!.trim();
    const isUnique = lines.join("\n").split(search).length === 2;
    if (search.length < 8 || !isUnique || !claims.take(file, line, line)) return null;
    return { op: "search-replace", file, search, replace: `$& replaced ${this.#count} $1` };
  }

  /** Lines replaced, said as a unified diff with git's three lines of context. */
  #diff(file: string, line: number, claims: Claims): PatchOperationInput | null {
    const { lines, endsInNewline } = this.#model.get(file)!;
    const end = Math.min(lines.length, line + this.#random(4));
    if (!endsInNewline || end - line + 1 === lines.length || !claims.take(file, line, end)) return null;
    const block = this.#block();
    const added = parseFile(block.endsWith("\n") ? block : `${block}\n`).lines;
    const before = lines.slice(Math.max(0, line - 4), line - 1);
    const after = lines.slice(end, end + 3);
    const old = before.length + end - line + 1 + after.length;
    const first = line - before.length;
    const marked = (mark: string, of: string[]) => of.map((text) => `${mark}${text}\n`).join("");
    const diff =
      `--- a/${file}\n+++ b/${file}\n` +
      `@@ -${first},${old} +${first},${before.length + added.length + after.length} @@\n` +
      marked(" ", before) +
      marked("-", lines.slice(line - 1, end)) +
      marked("+", added) +
      marked(" ", after);
    this.#diffs.set(diff, { op: "replace-block", file, start: line, end, block });
    return { op: "apply-diff", file, diff };
  }

  #insertMarker(file: string, line: number, claims: Claims): PatchOperationInput | null {
    if (!claims.gap(file, line)) return null;
    const name = `M${this.#count}`;
    this.#markers.set(name, file);
    claims.fresh.add(name);
    const block = `// ###FINAL_MILE_PROMPT__${name}###\n// to be written\n// ###END_${name}###\n`;
    return { op: "insert-before", file, line, block };
  }

  #replaceMarker(claims: Claims): PatchOperationInput | null {
    for (const [marker, file] of this.#markers) {
      const lines = this.#model.get(file)?.lines ?? [];
      const start = lines.findIndex((text) => text.includes(`__${marker}###`)) + 1;
      const end = lines.findIndex((text) => text.includes(`###END_${marker}###`)) + 1;
      if (claims.fresh.has(marker) || claims.gone(file) || end - start !== 2) continue;
      if (!claims.take(file, start, end)) continue;
      this.#markers.delete(marker);
      return { op: "replace-marker", file, marker, block: this.#block() };
    }
    return null;
  }

  #block(): string {
    const lines = Array.from({ length: 1 + this.#random(4) }, (_, i) =>
      this.#random(6) === 0 ? "" : `  // patch ${this.#count}, line ${i}: ünïcode ✓`,
    );
    // The newline at a block's end is its end, with or without; an empty line there needs it.
    return lines.join("\n") + (lines.at(-1) === "" || this.#random(2) === 0 ? "\n" : "");
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random(items.length)]!;
  }
}

/** Which lines and files the patches of one batch have taken, so that the next one does not overlap them. */
class Claims {
  /** Markers that the batch itself brings: not there yet, where coordinates speak of the state before. */
  readonly fresh = new Set<string>();
  readonly #ranges = new Map<string, { start: number; end: number }[]>();
  readonly #gone = new Set<string>();

  gone(file: string): boolean {
    return this.#gone.has(file);
  }

  take(file: string, start: number, end: number): boolean {
    const ranges = this.#ranges.get(file) ?? [];
    const isFree = ranges.every((range) =>
      range.end < range.start ? range.start <= start || range.start > end : range.end < start || range.start > end,
    );
    if (isFree) this.#ranges.set(file, [...ranges, { start, end }]);
    return isFree;
  }

  /** An insertion before `line`: not strictly inside a replaced range. */
  gap(file: string, line: number): boolean {
    const ranges = this.#ranges.get(file) ?? [];
    const isFree = ranges.every((range) => range.end < range.start || line <= range.start || line > range.end);
    if (isFree) this.#ranges.set(file, [...ranges, { start: line, end: line - 1 }]);
    return isFree;
  }

  /** All of a file that nothing else touches. */
  whole(file: string): boolean {
    if (this.#ranges.has(file) || this.#gone.has(file)) return false;
    this.#gone.add(file);
    return true;
  }

  /** A file's name: edits before it are of the old one, and none come after it. */
  rename(file: string): boolean {
    if (this.#gone.has(file)) return false;
    this.#gone.add(file);
    return true;
  }
}
