import type { Candidate, ErrorContext } from "@shared/contracts";
import type { TextFile } from "./textFile.ts";

/** How much of a file an error shows: lines, characters of each, and places. */
export const MAX_CONTEXT_LINES = 10;
export const MAX_LINE_CHARACTERS = 240;
export const MAX_CANDIDATES = 20;

/** The lines around a line, which may be past the end; none for a file without lines. */
export function contextAround(text: TextFile, line: number): { context?: ErrorContext } {
  if (text.lineCount === 0) return {};
  const centre = Math.min(Math.max(line, 1), text.lineCount);
  const last = Math.min(text.lineCount, Math.max(centre + 4, MAX_CONTEXT_LINES));
  const first = Math.max(1, last - MAX_CONTEXT_LINES + 1);
  return { context: { startLine: first, lines: shownLines(text, first, last) } };
}

/** A place of a file, with its lines. */
export function candidate(text: TextFile, first: number, last: number): Candidate {
  const end = Math.max(first, last);
  return { start: first, end, lines: shownLines(text, first, Math.min(end, first + MAX_CONTEXT_LINES - 1)) };
}

export function shownLine(line: string): string {
  if (line.length <= MAX_LINE_CHARACTERS) return line;
  const cut = line.slice(0, MAX_LINE_CHARACTERS);
  // Half of a surrogate pair is no character.
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}

function shownLines(text: TextFile, first: number, last: number): string[] {
  const lines: string[] = [];
  for (let line = first; line <= Math.min(last, text.lineCount); line++) lines.push(shownLine(text.lineText(line)));
  return lines;
}

export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
