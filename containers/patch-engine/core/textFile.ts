import { Buffer, isUtf8 } from "node:buffer";
import { fail, MAX_FILE_BYTES, type Result } from "@shared/contracts";

const LF = 0x0a;
const CR = 0x0d;

export type Eol = "\n" | "\r\n";

/** The same memory as a Buffer. Node's and workerd's types disagree on telling one from its base, so none is told. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Line starts as they are found; grows by doubling. */
class LineStarts {
  #array: Uint32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#array = new Uint32Array(capacity);
  }

  push(start: number): void {
    if (this.#size === this.#array.length) this.#grow(this.#size + 1);
    this.#array[this.#size++] = start;
  }

  /** Adds the byte after each LF of `bytes`, moved by `offset`. */
  scan(bytes: Buffer, from: number, offset = 0): void {
    for (let lf = bytes.indexOf(LF, from); lf !== -1; lf = bytes.indexOf(LF, lf + 1)) this.push(lf + 1 + offset);
  }

  /** Copies from index `from` on what is at most `until`, moved by `delta`; the index after it. */
  copy(source: Uint32Array, from: number, until: number, delta: number): number {
    const end = indexAfterFrom(source, until, from);
    const size = this.#size + end - from;
    if (size > this.#array.length) this.#grow(size);
    const array = this.#array;
    if (delta === 0) array.set(source.subarray(from, end), this.#size);
    else for (let i = from, to = this.#size; i < end; i++, to++) array[to] = (source[i] ?? 0) + delta;
    this.#size = size;
    return end;
  }

  done(): Uint32Array {
    return this.#array.subarray(0, this.#size);
  }

  #grow(atLeast: number): void {
    const larger = new Uint32Array(Math.max(atLeast, this.#array.length * 2));
    larger.set(this.#array);
    this.#array = larger;
  }
}

/** The index after all that is at most `value`, in an ascending array. */
function indexAfter(array: Uint32Array, value: number, from = 0, until = array.length): number {
  let low = from;
  let high = until;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((array[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `indexAfter`, where the answer is most likely close behind `from`: by growing steps, then between the last two. */
function indexAfterFrom(array: Uint32Array, value: number, from: number): number {
  let low = from;
  let step = 1;
  for (; (array[low + step] ?? Infinity) <= value; step *= 2) low += step;
  return indexAfter(array, value, low, Math.min(array.length, low + step));
}

/**
 * The bytes of a text file and where its lines begin. Lines are 1-based; a line ends at LF, and a CR before that LF
 * belongs to the ending; a lone CR, U+2028 and form feed are content. A final newline ends the last line and starts
 * none, an empty file has no lines. A byte order mark stands before line 1 and is part of no line.
 */
export class TextFile {
  readonly bytes: Buffer;
  readonly bomLength: number;
  readonly lineCount: number;
  /** The byte after the BOM, then the byte after each LF: the last is `bytes.length` where a newline ends the file. */
  readonly #starts: Uint32Array;
  #endings: { lf: number; crlf: number } | null = null;

  private constructor(bytes: Buffer, starts: Uint32Array, bomLength: number) {
    this.bytes = bytes;
    this.#starts = starts;
    this.bomLength = bomLength;
    this.lineCount = starts.at(-1) === bytes.length ? starts.length - 1 : starts.length;
  }

  static readonly empty = TextFile.of(Buffer.alloc(0));

  static of(bytes: Buffer): TextFile {
    const bomLength = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    const starts = new LineStarts(16 + (bytes.length >>> 4));
    starts.push(bomLength);
    starts.scan(bytes, bomLength);
    return new TextFile(bytes, starts.done(), bomLength);
  }

  /** A workspace file as text; FILE_TOO_LARGE, BINARY_FILE or NOT_UTF8 for what the engine does not edit. */
  static read(path: string, bytes: Uint8Array): Result<{ text: TextFile }> {
    const buffer = bufferOf(bytes);
    if (buffer.length > MAX_FILE_BYTES) {
      return fail("FILE_TOO_LARGE", `${path} has ${buffer.length} bytes; at most ${MAX_FILE_BYTES} are edited.`, {
        file: path,
      });
    }
    if (buffer.includes(0)) return fail("BINARY_FILE", `${path} holds NUL bytes: it is not text.`, { file: path });
    if (!isUtf8(buffer)) return fail("NOT_UTF8", `${path} is not UTF-8 text.`, { file: path });
    return { ok: true, text: TextFile.of(buffer) };
  }

  /** Whether a newline ends the file; so it does where there is no line. */
  get terminated(): boolean {
    return this.#starts.at(-1) === this.bytes.length;
  }

  /** The byte where a line begins; of line N+1, the file's length. */
  startOf(line: number): number {
    return this.#starts[line - 1] ?? this.bytes.length;
  }

  /** The byte after a line, its ending included. */
  endOf(line: number): number {
    return this.#starts[line] ?? this.bytes.length;
  }

  /** The byte after a line's content, before its ending. */
  contentEnd(line: number): number {
    const end = this.endOf(line);
    const start = this.startOf(line);
    if (end === start || this.bytes[end - 1] !== LF) return end;
    return end - 1 > start && this.bytes[end - 2] === CR ? end - 2 : end - 1;
  }

  /** A line's ending; null of an unterminated last line and where no such line is. */
  eolOf(line: number): Eol | null {
    if (line < 1 || line > this.lineCount) return null;
    const size = this.endOf(line) - this.contentEnd(line);
    return size === 0 ? null : size === 1 ? "\n" : "\r\n";
  }

  lineText(line: number): string {
    return this.bytes.toString("utf8", this.startOf(line), this.contentEnd(line));
  }

  /** The line a byte belongs to, its ending included; N+1 for the file's length where a newline ends it. */
  lineAt(byte: number): number {
    return Math.max(1, indexAfter(this.#starts, byte));
  }

  /** `lineAt` for whoever goes through a text: `line` is one at or before the answer, and best a close one. */
  lineAtFrom(byte: number, line: number): number {
    return Math.max(1, indexAfterFrom(this.#starts, byte, line - 1));
  }

  /** How many lines end in LF alone and how many in CR LF. */
  get endings(): { lf: number; crlf: number } {
    if (this.#endings === null) {
      let crlf = 0;
      let lf = 0;
      for (let line = 1; line < this.#starts.length; line++) {
        if (this.eolOf(line) === "\r\n") crlf++;
        else lf++;
      }
      this.#endings = { lf, crlf };
    }
    return this.#endings;
  }

  /** This text with bytes replaced. `edits` ascend and do not overlap; the line index is carried over, not made anew. */
  withEdits(edits: readonly { start: number; end: number; text: Buffer }[]): TextFile {
    const [first] = edits;
    if (!first) return this;
    // A revert may take away or put back the BOM itself.
    if (first.start < this.bomLength || (first.start === 0 && first.text[0] === 0xef))
      return TextFile.of(this.#spliced(edits));
    const starts = new LineStarts(this.#starts.length + 16);
    starts.push(this.bomLength);
    let line = 1;
    let delta = 0;
    for (const edit of edits) {
      // A line that begins at the edit's start does so still: the LF before it is kept.
      line = starts.copy(this.#starts, line, edit.start, delta);
      starts.scan(edit.text, 0, edit.start + delta);
      line = indexAfterFrom(this.#starts, edit.end, line);
      delta += edit.text.length - (edit.end - edit.start);
    }
    starts.copy(this.#starts, line, this.bytes.length, delta);
    return new TextFile(this.#spliced(edits), starts.done(), this.bomLength);
  }

  #spliced(edits: readonly { start: number; end: number; text: Buffer }[]): Buffer {
    let size = this.bytes.length;
    for (const { start, end, text } of edits) size += text.length - (end - start);
    // Its own memory, not the shared pool's: whoever keeps a plan keeps this.
    const spliced = Buffer.allocUnsafeSlow(size);
    let from = 0;
    let at = 0;
    for (const { start, end, text } of edits) {
      at += this.bytes.copy(spliced, at, from, start);
      at += text.copy(spliced, at);
      from = end;
    }
    this.bytes.copy(spliced, at, from);
    return spliced;
  }
}
