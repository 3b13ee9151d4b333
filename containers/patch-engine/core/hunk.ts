import type { TextFile } from "./textFile.ts";

/** One hunk. `first`…`last` are the lines of the diff that hold its body; an insertion's `oldStart` is the line before it. */
export interface Hunk {
  oldStart: number;
  oldCount: number;
  /** The diff's line with the `@@`. */
  line: number;
  first: number;
  last: number;
}

const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const BACKSLASH = 0x5c;

/** What a line of a hunk's body is, by its first byte; an empty line is an empty context line whose space was lost. */
export type LineKind = " " | "+" | "-" | "\\";

export function kindOf(text: TextFile, line: number): LineKind | null {
  const start = text.startOf(line);
  if (start === text.contentEnd(line)) return " ";
  const first = text.bytes[start];
  if (first === SPACE) return " ";
  if (first === PLUS) return "+";
  if (first === MINUS) return "-";
  return first === BACKSLASH ? "\\" : null;
}
