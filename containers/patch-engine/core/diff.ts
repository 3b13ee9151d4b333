import { Buffer } from "node:buffer";
import type { FileMode } from "@shared/contracts";
import type { Edit } from "./edit.ts";
import { gitLines, lineChanges, type LineChange, type LineChanges } from "./lineChanges.ts";
import { quotePath } from "./quotePath.ts";
import { TextFile } from "./textFile.ts";

const LF = 0x0a;
/** Unchanged lines shown on each side of a change, as git does. */
const CONTEXT = 3;
const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const NO_NEWLINE = Buffer.from("\\ No newline at end of file\n");

export type DiffSubject =
  /** `oldMode` where the mode changes to `mode`. */
  | { kind: "edit"; path: string; oldMode?: FileMode; mode?: FileMode }
  | { kind: "create"; path: string; mode: FileMode }
  | { kind: "delete"; path: string; mode: FileMode }
  | { kind: "rename"; from: string; path: string; oldMode?: FileMode; mode?: FileMode };

export interface FileDiff {
  diff: string;
  linesAdded: number;
  linesRemoved: number;
}

/**
 * A git-style unified diff made of edits alone; the files are never compared. `git apply` makes of it the same bytes.
 * Empty where the edits of a file that stays change nothing.
 */
export function diffOf(subject: DiffSubject, before: TextFile | null, edits: readonly Edit[]): FileDiff {
  const text = before ?? TextFile.empty;
  const changed = lineChanges(text, edits);
  const { changes } = changed;
  if (changes.length === 0 && subject.kind === "edit" && subject.oldMode === undefined) {
    return { diff: "", linesAdded: 0, linesRemoved: 0 };
  }
  let linesAdded = 0;
  let linesRemoved = 0;
  for (const change of changes) {
    linesAdded += change.added;
    linesRemoved += change.removed;
  }
  const header = headerOf(subject, text, edits, changes.length > 0);
  const body = changes.length > 0 ? hunksOf(text, changed) : "";
  return { diff: header + body, linesAdded, linesRemoved };
}

function headerOf(subject: DiffSubject, text: TextFile, edits: readonly Edit[], hasHunks: boolean): string {
  const from = subject.kind === "rename" ? subject.from : subject.path;
  const a = quotePath(`a/${from}`);
  const b = quotePath(`b/${subject.path}`);
  const lines = [`diff --git ${a} ${b}`];
  if (subject.kind === "create") lines.push(`new file mode ${subject.mode}`);
  if (subject.kind === "delete") lines.push(`deleted file mode ${subject.mode}`);
  if ((subject.kind === "edit" || subject.kind === "rename") && subject.oldMode !== undefined) {
    lines.push(`old mode ${subject.oldMode}`, `new mode ${subject.mode}`);
  }
  if (subject.kind === "rename") {
    lines.push(
      `similarity index ${similarity(text, edits)}%`,
      `rename from ${quotePath(from)}`,
      `rename to ${quotePath(subject.path)}`,
    );
  }
  if (hasHunks) {
    lines.push(`--- ${subject.kind === "create" ? "/dev/null" : fileLabel(a)}`);
    lines.push(`+++ ${subject.kind === "delete" ? "/dev/null" : fileLabel(b)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Git ends a name that holds a space with a tab, so that a reader knows where it ends. */
const fileLabel = (name: string): string => (name.includes(" ") ? `${name}\t` : name);

/** The share of bytes that stayed, of the larger of the two sizes. */
function similarity(text: TextFile, edits: readonly Edit[]): number {
  let kept = text.bytes.length;
  let after = text.bytes.length;
  for (const { start, end, text: added } of edits) {
    kept -= end - start;
    after += added.length - (end - start);
  }
  const size = Math.max(after, text.bytes.length);
  return size === 0 ? 100 : Math.floor((kept * 100) / size);
}

function hunksOf(text: TextFile, { changes, bytes }: LineChanges): string {
  const lines = gitLines(text);
  const out = new ByteWriter(sizeOf(lines, changes));
  let delta = 0;
  for (let first = 0; first < changes.length;) {
    // Changes whose contexts touch or overlap share a hunk.
    let last = first;
    let grow = 0;
    for (; last < changes.length; last++) {
      const change = changes[last];
      const before = changes[last - 1];
      if (!change || (last > first && before && change.line - (before.line + before.removed) > 2 * CONTEXT)) break;
      grow += change.added - change.removed;
    }
    const from = Math.max(0, (changes[first]?.line ?? 0) - CONTEXT);
    const tail = changes[last - 1];
    const until = Math.min(lines.count, (tail ? tail.line + tail.removed : 0) + CONTEXT);
    const oldCount = until - from;
    out.text(`@@ -${span(from, oldCount)} +${span(from + delta, oldCount + grow)} @@\n`);
    let at = lines.startOf(from);
    for (let index = first; index < last; index++) {
      const change = changes[index];
      if (!change) break;
      const start = lines.startOf(change.line);
      const end = lines.startOf(change.line + change.removed);
      out.lines(SPACE, text.bytes, at, start);
      out.lines(MINUS, text.bytes, start, end);
      out.lines(PLUS, bytes, change.from, change.to);
      at = end;
    }
    out.lines(SPACE, text.bytes, at, lines.startOf(until));
    delta += grow;
    first = last;
  }
  return out.done();
}

/** A hunk's range: 1-based, the line before it where it is empty, the count left out where it is 1. */
function span(from: number, count: number): string {
  if (count === 1) return String(from + 1);
  return `${count === 0 ? from : from + 1},${count}`;
}

/** An upper bound on the bytes of all hunks. */
function sizeOf(lines: ReturnType<typeof gitLines>, changes: readonly LineChange[]): number {
  let size = 0;
  for (const { line, removed, added, from, to } of changes) {
    const first = Math.max(0, line - 2 * CONTEXT);
    const last = Math.min(lines.count, line + removed + 2 * CONTEXT);
    const oldBytes = lines.startOf(last) - lines.startOf(first);
    size += oldBytes + to - from + removed + added + 4 * CONTEXT + 128;
  }
  return size + NO_NEWLINE.length * 2;
}

/** Bytes of a diff as they are written. */
class ByteWriter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  text(ascii: string): void {
    this.#at += this.#bytes.write(ascii, this.#at, "latin1");
  }

  /** Whole lines, each with its prefix; one that no newline ends is followed by git's remark on that. */
  lines(prefix: number, source: Buffer, from: number, to: number): void {
    if (from === to) return;
    const bytes = this.#bytes;
    let at = this.#at;
    let isNewLine = true;
    for (let i = from; i < to; i++) {
      if (isNewLine) bytes[at++] = prefix;
      const byte = source[i] ?? 0;
      bytes[at++] = byte;
      isNewLine = byte === LF;
    }
    if (!isNewLine) {
      bytes[at++] = LF;
      at += NO_NEWLINE.copy(bytes, at);
    }
    this.#at = at;
  }

  done(): string {
    return this.#bytes.toString("utf8", 0, this.#at);
  }
}
