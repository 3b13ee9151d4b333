import type { Landed } from "./planTypes.ts";
import type { Edit } from "./edit.ts";
import type { TextFile } from "./textFile.ts";

const LF = 0x0a;
const CR = 0x0d;

/** The lines of the text before that an edit changes; `end` is `start` - 1 where it only inserts before `start`. */
export function touchedBy(text: TextFile, edit: Edit): Landed {
  const { bytes } = text;
  const { start, end, text: added } = edit;
  const line = text.lineAt(start);
  const isAtLineStart = start === text.startOf(line);
  const endsLine = added.at(-1) === LF;
  const beginsWithEnding = startsWithEnding(added);
  const isAtContentEnd = start === text.contentEnd(line) && line <= text.lineCount;

  if (start === end) {
    if (isAtLineStart && (endsLine || line > text.lineCount)) return { start: line, end: line - 1 };
    if (isAtContentEnd && beginsWithEnding) return { start: line + 1, end: line };
    return { start: line, end: line };
  }
  // An ending taken away together with all that follows it leaves its own line as it was.
  const keepsFirst =
    isAtContentEnd && !isAtLineStart && (beginsWithEnding || (added.length === 0 && end === bytes.length));
  const first = keepsFirst ? line + 1 : line;
  const last = text.lineAt(end);
  if (last > text.lineCount) return { start: first, end: Math.max(first, text.lineCount) };
  if (end > text.startOf(last)) return { start: first, end: last };
  const leavesLineStart = endsLine || (added.length === 0 && isAtLineStart);
  return { start: first, end: leavesLineStart ? last - 1 : last };
}

/**
 * The lines of the text after on which an edit's text landed, which begins at byte `at` there; `end` is `start` - 1 where
 * nothing stands. `before` is the text that the edit speaks of.
 */
export function landedAt(before: TextFile, after: TextFile, edit: Edit, at: number): Landed {
  const line = after.lineAt(at);
  const isAtLineStart = at === after.startOf(line);
  if (edit.text.length === 0) {
    const wasLineEnd = touchedBy(before, edit).start > before.lineAt(edit.start);
    if (wasLineEnd) return { start: line + 1, end: line };
    const endedLine = edit.end === before.bytes.length || before.bytes[edit.end - 1] === LF;
    return { start: line, end: isAtLineStart && endedLine ? line - 1 : line };
  }
  const first = !isAtLineStart && startsWithEnding(edit.text) ? line + 1 : line;
  const last = after.lineAt(at + edit.text.length);
  return { start: first, end: Math.max(first, edit.text.at(-1) === LF ? last - 1 : last) };
}

function startsWithEnding(bytes: Buffer): boolean {
  return bytes[0] === LF || (bytes[0] === CR && bytes[1] === LF);
}
