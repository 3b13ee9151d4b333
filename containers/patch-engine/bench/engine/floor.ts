/** One replaced line: 1-based number, and the new line with its LF. */
export interface LineEdit {
  line: number;
  text: Buffer;
}

const LF = 0x0a;
const CONTEXT = 3;

/**
 * What no engine can go below: one pass over the bytes for the line index, one assembly of the new text, one unified
 * diff written from the edits. It checks nothing, knows one operation and keeps no record.
 */
export function floor(path: string, before: Buffer, edits: readonly LineEdit[]): { after: Buffer; diff: string } {
  const starts = [0];
  for (let at = before.indexOf(LF); at !== -1; at = before.indexOf(LF, at + 1)) starts.push(at + 1);
  const count = starts.length - 1;
  const lineAt = (line: number): Buffer => before.subarray(starts[line - 1], starts[line]);

  const pieces: Buffer[] = [];
  let from = 0;
  for (const { line, text } of edits) {
    pieces.push(before.subarray(from, starts[line - 1]), text);
    from = starts[line] ?? before.length;
  }
  pieces.push(before.subarray(from));

  const diff: string[] = [`diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n`];
  for (let first = 0; first < edits.length;) {
    let last = first;
    while (last + 1 < edits.length && lineOf(edits, last + 1) - lineOf(edits, last) <= CONTEXT * 2) last++;
    const start = Math.max(1, lineOf(edits, first) - CONTEXT);
    const end = Math.min(count, lineOf(edits, last) + CONTEXT);
    diff.push(`@@ -${start},${end - start + 1} +${start},${end - start + 1} @@\n`);
    let next = first;
    for (let line = start; line <= end; line++) {
      const edit = edits[next];
      if (edit?.line === line && next <= last) {
        diff.push("-", lineAt(line).toString("latin1"), "+", edit.text.toString("latin1"));
        next++;
      } else diff.push(" ", lineAt(line).toString("latin1"));
    }
    first = last + 1;
  }
  return { after: Buffer.concat(pieces), diff: diff.join("") };
}

const lineOf = (edits: readonly LineEdit[], at: number): number => edits[at]?.line ?? 0;
