import type { ErrorCode, ErrorContext, FileMode, Finding, GateLevel } from "@shared/contracts";
import { TextFile, type Plan } from "../core/index.ts";

/** What a gate objects to, and in which patch, where one patch is at fault. */
export interface Objection {
  code: ErrorCode;
  finding: Finding;
  patchId?: string;
  context?: ErrorContext;
}

/** What a gate looks at. Nothing of it is on disk yet. */
export interface GateInput {
  plan: Plan;
  before: ReadonlyMap<string, { bytes: Uint8Array; mode: FileMode } | null>;
}

export interface Gate {
  name: string;
  level: GateLevel;
  /** Null: there was nothing to look at. */
  run(input: GateInput): Promise<Objection[] | null> | Objection[] | null;
}

const AROUND = 3;

/** Numbered lines of a text around a line of it; undefined where it has no lines. */
export function contextAround(bytes: Uint8Array, line: number): ErrorContext | undefined {
  const text = TextFile.of(Buffer.from(bytes));
  if (text.lineCount === 0) return undefined;
  const middle = Math.min(Math.max(line, 1), text.lineCount);
  const startLine = Math.max(1, middle - AROUND);
  const lines: string[] = [];
  for (let at = startLine; at <= Math.min(text.lineCount, middle + AROUND); at++) lines.push(text.lineText(at));
  return { startLine, lines };
}

/** A file's changed lines as gates count them: a replaced line is one, whatever it became. */
export const changedLines = (counts: { linesAdded: number; linesRemoved: number }): number =>
  Math.max(counts.linesAdded, counts.linesRemoved);

/** Counts of a unified diff's body. */
export function countsOfDiff(diff: string): { linesAdded: number; linesRemoved: number } {
  let linesAdded = 0;
  let linesRemoved = 0;
  let inHunk = false;
  for (const line of diff.split("\n")) {
    if (line.startsWith("@@")) inHunk = true;
    else if (line.startsWith("diff --git")) inHunk = false;
    else if (inHunk && line.startsWith("+")) linesAdded++;
    else if (inHunk && line.startsWith("-")) linesRemoved++;
  }
  return { linesAdded, linesRemoved };
}
