import type { Buffer } from "node:buffer";
import type { TextFile } from "./textFile.ts";

/**
 * Numbers for a file's lines: equal lines have equal ones. A table of line numbers that are compared by their bytes, as
 * a Map of strings takes twenty times the memory of short lines. The hash's base is random, or a text could be made
 * whose lines all have one hash.
 */
export class LineNumbers {
  /** Of each line of the file, from the first. */
  readonly numbers: Int32Array;
  readonly #text: TextFile;
  readonly #endOf: (line: number) => number;
  readonly #base: number;
  /** Lines, of each distinct text the first; 0 where a place is free. */
  #table = new Int32Array(1 << 10);
  #distinct = 0;

  /** `endOf`: the byte after what of a line is compared. */
  constructor(text: TextFile, endOf: (line: number) => number) {
    this.#text = text;
    this.#endOf = endOf;
    this.#base = (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) | 1;
    this.numbers = new Int32Array(text.lineCount);
    for (let line = 1; line <= text.lineCount; line++) {
      const at = this.#find(text.bytes, text.startOf(line), endOf(line));
      const known = this.#table[at] ?? 0;
      this.numbers[line - 1] = known === 0 ? this.#distinct : (this.numbers[known - 1] ?? 0);
      if (known === 0) this.#add(at, line);
    }
  }

  /** The number of the line that these bytes are; -1 where the file has none such. */
  numberOf(bytes: Buffer, start: number, end: number): number {
    const line = this.#table[this.#find(bytes, start, end)] ?? 0;
    return line === 0 ? -1 : (this.numbers[line - 1] ?? -1);
  }

  #add(at: number, line: number): void {
    this.#table[at] = line;
    if (++this.#distinct * 2 < this.#table.length) return;
    const smaller = this.#table;
    this.#table = new Int32Array(smaller.length * 2);
    for (const one of smaller) {
      if (one !== 0) this.#table[this.#find(this.#text.bytes, this.#text.startOf(one), this.#endOf(one))] = one;
    }
  }

  /** Where a line stands in the table, or would. */
  #find(bytes: Buffer, start: number, end: number): number {
    const mask = this.#table.length - 1;
    let hash = end - start;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, this.#base) + (bytes[i] ?? 0)) | 0;
    let at = (hash ^ (hash >>> 15)) & mask;
    for (let line = this.#table[at] ?? 0; line !== 0; line = this.#table[at] ?? 0) {
      const from = this.#text.startOf(line);
      const to = this.#endOf(line);
      if (to - from === end - start && this.#text.bytes.compare(bytes, start, end, from, to) === 0) break;
      at = (at + 1) & mask;
    }
    return at;
  }
}
