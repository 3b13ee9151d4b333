import { Buffer } from "node:buffer";
import type { Edit } from "./edit.ts";
import type { TextFile } from "./textFile.ts";

const LF = 0x0a;

/** Whole lines replaced, as a diff shows them. `line` is 0-based; a BOM counts as content of the first line here. */
export interface LineChange {
  line: number;
  removed: number;
  added: number;
  /** Holds the added lines with their endings, from `from` to `to`. */
  bytes: Buffer;
  from: number;
  to: number;
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
export function lineChanges(text: TextFile, edits: readonly Edit[]): LineChange[] {
  const { bytes } = text;
  const lines = gitLines(text);
  const changes: LineChange[] = [];
  let index = 0;
  for (let edit = edits[index]; edit; edit = edits[index]) {
    const line = Math.min(text.lineAt(edit.start) - 1, lines.count);
    const start = lines.startOf(line);
    const pieces: Buffer[] = edit.start > start ? [bytes.subarray(start, edit.start)] : [];
    let end = start;
    for (let next: Edit | undefined = edit; next;) {
      pieces.push(next.text);
      end = lineEndAfter(text, next.end, pieces);
      const following: Edit | undefined = edits[++index];
      const joins: boolean = following !== undefined && following.start <= end;
      const until = joins && following ? following.start : end;
      if (until > next.end) pieces.push(bytes.subarray(next.end, until));
      next = joins ? following : undefined;
    }
    const added = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    const change = trimmed(bytes, start, end, line, added);
    if (change) changes.push(change);
  }
  return changes;
}

/** The end of the line that an edit's end leaves open: none where whole lines were replaced by whole lines. */
function lineEndAfter(text: TextFile, end: number, pieces: readonly Buffer[]): number {
  const { bytes } = text;
  const isAtLineStart = end === 0 || bytes[end - 1] === LF;
  if (end === bytes.length) return end;
  if (isAtLineStart) {
    const last = pieces.findLast((piece) => piece.length > 0);
    if (last === undefined || last.at(-1) === LF) return end;
  }
  return text.endOf(text.lineAt(end));
}

function trimmed(old: Buffer, start: number, end: number, line: number, added: Buffer): LineChange | null {
  let oldFrom = start;
  let oldTo = end;
  let from = 0;
  let to = added.length;
  // Whole lines in common at the start, then at the end.
  let skipped = 0;
  for (let i = 0; start + i < end && i < to && old[start + i] === added[i]; i++) {
    if (added[i] !== LF) continue;
    from = i + 1;
    oldFrom = start + from;
    skipped++;
  }
  // An unterminated last line in common is a line too.
  if (end - oldFrom === to - from && old.compare(added, from, to, oldFrom, end) === 0) return null;
  for (let i = 1; end - i >= oldFrom && added.length - i >= from && old[end - i] === added[added.length - i]; i++) {
    const isLineStart = (at: number, least: number, buffer: Buffer) => at === least || buffer[at - 1] === LF;
    if (isLineStart(end - i, oldFrom, old) && isLineStart(added.length - i, from, added)) {
      oldTo = end - i;
      to = added.length - i;
    }
  }
  return {
    line: line + skipped,
    removed: linesIn(old, oldFrom, oldTo),
    added: linesIn(added, from, to),
    bytes: added,
    from,
    to,
  };
}

/** Lines in a stretch of bytes, an unterminated one at its end included. */
function linesIn(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (bytes[i] === LF) count++;
  return to > from && bytes[to - 1] !== LF ? count + 1 : count;
}
