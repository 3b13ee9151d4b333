import { diffArrays } from "diff";
import type { PatchOperationInput } from "@shared/contracts";

/** Beyond this many differing lines the shortest edit is not searched for: the differing middle is replaced as one. */
const MAX_EDIT_LENGTH = 1_500;

/** A block of whole lines. Without lines it is the empty block, which deletes. */
const blockOf = (lines: readonly string[]): string => (lines.length === 0 ? "" : `${lines.join("\n")}\n`);

/** One run of lines that differs: `removed` stands from the 1-based line `start`, `added` goes in its place. */
export interface LineChange {
  start: number;
  removed: string[];
  added: string[];
}

/** The shortest changes that turn one run of lines, which begins at line `start`, into another. */
export function lineChanges(old: readonly string[], now: readonly string[], start = 1): LineChange[] {
  const parts = diffArrays([...old], [...now], { maxEditLength: MAX_EDIT_LENGTH });
  if (!parts) return [{ start, removed: [...old], added: [...now] }];
  const changes: LineChange[] = [];
  let line = start;
  let open: LineChange | null = null;
  for (const { added, removed, value } of parts) {
    if (!added && !removed) {
      line += value.length;
      open = null;
      continue;
    }
    if (!open) changes.push((open = { start: line, removed: [], added: [] }));
    const into: string[] = removed ? open.removed : open.added;
    for (const one of value) into.push(one);
    if (removed) line += value.length;
  }
  return changes;
}

/** A change as an operation that says which text it believes to stand where it edits. */
export function operationOf(
  file: string,
  current: readonly string[],
  { start, removed, added }: LineChange,
): PatchOperationInput {
  const block = blockOf(added);
  if (removed.length > 0) {
    return {
      op: "replace-block",
      file,
      start,
      end: start + removed.length - 1,
      block,
      expect: { text: removed.join("\n") },
    };
  }
  const next = current[start - 1];
  if (next !== undefined) return { op: "insert-before", file, line: start, block, expect: { text: next } };
  const last = current.at(-1);
  return last === undefined
    ? { op: "insert-before", file, line: 1, block }
    : { op: "insert-after", file, line: current.length, block, expect: { text: last } };
}
