import { Buffer } from "node:buffer";
import type { Edit } from "./edit.ts";
import type { TextFile } from "./textFile.ts";

const LF = 0x0a;

/** Whole lines replaced, as a diff shows them. `line` is 0-based; a BOM counts as content of the first line here. */
export interface LineChange {
  line: number;
  removed: number;
  added: number;
  /** Where the added lines stand in `LineChanges.bytes`, with their endings. */
  from: number;
  to: number;
}

export interface LineChanges {
  changes: LineChange[];
  /** Holds the added lines of all changes. */
  bytes: Buffer;
}

/** The lines of a file as git counts them, which knows no BOM. */
export function gitLines(text: TextFile): { count: number; startOf(line: number): number } {
  const isBomAlone = text.lineCount === 0 && text.bytes.length > 0;
  return {
    count: isBomAlone ? 1 : text.lineCount,
    startOf: (line) => (line === 0 ? 0 : isBomAlone ? text.bytes.length : text.startOf(line + 1)),
  };
}

/**
 * The lines that edits change: each edit widened to whole lines, neighbours that touch taken together, and what a
 * change has in common with the old lines at its start and end left out. Nothing but the edited lines is compared.
 */
export function lineChanges(text: TextFile, edits: readonly Edit[]): LineChanges {
  const { bytes } = text;
  const lines = gitLines(text);
  const changes: LineChange[] = [];
  const added = new GrowingBytes(edits);
  let reached = 1;
  let index = 0;
  for (let edit = edits[index]; edit; edit = edits[index]) {
    reached = text.lineAtFrom(edit.start, reached);
    const line = Math.min(reached - 1, lines.count);
    const start = lines.startOf(line);
    const from = added.size;
    added.append(bytes, start, edit.start);
    let end = start;
    for (let next: Edit | undefined = edit; next;) {
      added.append(next.text, 0, next.text.length);
      // None of the last line is left open where whole lines were replaced by whole lines.
      const isWhole = isLineStart(bytes, next.end) && (added.size === from || added.last === LF);
      if (isWhole || next.end === bytes.length) end = next.end;
      else {
        reached = text.lineAtFrom(next.end, reached);
        end = text.endOf(reached);
      }
      const following: Edit | undefined = edits[++index];
      const joins: boolean = following !== undefined && following.start <= end;
      added.append(bytes, next.end, joins && following ? following.start : end);
      next = joins ? following : undefined;
    }
    const change = trimmed(bytes, start, end, line, added.bytes, from, added.size);
    if (change) changes.push(change);
  }
  return { changes, bytes: added.bytes };
}

const isLineStart = (bytes: Buffer, at: number): boolean => at === 0 || bytes[at - 1] === LF;

/** The lines that changes add, one after the other: one piece of memory however many edits there are. */
class GrowingBytes {
  bytes: Buffer;
  size = 0;

  constructor(edits: readonly Edit[]) {
    let size = 0;
    for (const { text } of edits) size += text.length + LINE_REMAINDER;
    this.bytes = Buffer.allocUnsafe(size);
  }

  get last(): number | undefined {
    return this.bytes[this.size - 1];
  }

  append(source: Buffer, from: number, to: number): void {
    if (to <= from) return;
    const size = this.size + to - from;
    if (size > this.bytes.length) {
      const larger = Buffer.allocUnsafe(size * 2);
      this.bytes.copy(larger, 0, 0, this.size);
      this.bytes = larger;
    }
    source.copy(this.bytes, this.size, from, to);
    this.size = size;
  }
}

/** How much of its line an edit is first thought to leave: mostly the ending. */
const LINE_REMAINDER = 8;

/** A change without the whole lines that old and new have in common; null where that is all of them. */
function trimmed(
  old: Buffer,
  start: number,
  end: number,
  line: number,
  added: Buffer,
  addedStart: number,
  addedEnd: number,
): LineChange | null {
  let oldFrom = start;
  let oldTo = end;
  let from = addedStart;
  let to = addedEnd;
  // Whole lines in common at the start, then at the end.
  let skipped = 0;
  for (let i = start, j = from; i < end && j < to && old[i] === added[j]; i++, j++) {
    if (added[j] !== LF) continue;
    from = j + 1;
    oldFrom = i + 1;
    skipped++;
  }
  // An unterminated last line in common is a line too.
  if (end - oldFrom === to - from && old.compare(added, from, to, oldFrom, end) === 0) return null;
  for (let i = end - 1, j = to - 1; i >= oldFrom && j >= from && old[i] === added[j]; i--, j--) {
    if ((i === oldFrom || old[i - 1] === LF) && (j === from || added[j - 1] === LF)) {
      oldTo = i;
      to = j;
    }
  }
  return { line: line + skipped, removed: linesIn(old, oldFrom, oldTo), added: linesIn(added, from, to), from, to };
}

/** Lines in a stretch of bytes, an unterminated one at its end included. */
function linesIn(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (bytes[i] === LF) count++;
  return to > from && bytes[to - 1] !== LF ? count + 1 : count;
}
