import { diffArrays } from "diff";
import type { PatchOperationInput } from "@shared/contracts";

/**
 * The lines of a text: separated by LF, a CR before it belonging to the ending, without the byte order mark. A final
 * newline ends the last line and starts none.
 */
export function linesOf(text: string): string[] {
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  if (body === "") return [];
  const lines = body.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  if (body.endsWith("\n")) lines.pop();
  return lines;
}

/** A block of whole lines. Without lines it is the empty block, which deletes. */
export const blockOf = (lines: readonly string[]): string => (lines.length === 0 ? "" : `${lines.join("\n")}\n`);

/** Beyond this many differing lines the shortest edit is not searched for: the differing middle is replaced as one. */
const MAX_EDIT_LENGTH = 1_500;

/** One run of lines that differs: `removed` stands from the 1-based line `start`, `added` goes in its place. */
export interface LineChange {
  start: number;
  removed: string[];
  added: string[];
}

/** The shortest line changes that turn `current` into `wanted`, in ascending order, never adjacent. */
export function lineChanges(current: readonly string[], wanted: readonly string[]): LineChange[] {
  const parts = diffArrays([...current], [...wanted], { maxEditLength: MAX_EDIT_LENGTH });
  if (!parts) return [differingMiddle(current, wanted)];
  const changes: LineChange[] = [];
  let line = 1;
  let open: LineChange | null = null;
  for (const part of parts) {
    if (!part.added && !part.removed) {
      line += part.value.length;
      open = null;
      continue;
    }
    if (!open) {
      open = { start: line, removed: [], added: [] };
      changes.push(open);
    }
    if (part.removed) {
      open.removed.push(...part.value);
      line += part.value.length;
    } else open.added.push(...part.value);
  }
  return changes;
}

function differingMiddle(current: readonly string[], wanted: readonly string[]): LineChange {
  const shorter = Math.min(current.length, wanted.length);
  let head = 0;
  while (head < shorter && current[head] === wanted[head]) head++;
  let tail = 0;
  while (tail < shorter - head && current.at(-1 - tail) === wanted.at(-1 - tail)) tail++;
  return {
    start: head + 1,
    removed: current.slice(head, current.length - tail),
    added: wanted.slice(head, wanted.length - tail),
  };
}

/** Each change as one patch that says which text it believes to stand where it edits. */
export function changesToPatches(
  file: string,
  current: readonly string[],
  changes: readonly LineChange[],
): PatchOperationInput[] {
  return changes.map(({ start, removed, added }): PatchOperationInput => {
    const block = blockOf(added);
    if (removed.length > 0) {
      const expect = { text: removed.join("\n") };
      return { op: "replace-block", file, start, end: start + removed.length - 1, block, expect };
    }
    const next = current[start - 1];
    if (next !== undefined) return { op: "insert-before", file, line: start, block, expect: { text: next } };
    const last = current.at(-1);
    return last === undefined
      ? { op: "insert-before", file, line: 1, block }
      : { op: "insert-after", file, line: current.length, block, expect: { text: last } };
  });
}
