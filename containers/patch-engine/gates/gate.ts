import type { ErrorCode, ErrorContext, FileMode, Finding, GateLevel } from "@shared/contracts";
import { TextFile, type Plan, type PlannedPatch } from "../core/index.ts";

/** What a gate objects to, and in which patch, where one patch is at fault. */
export interface Objection {
  code: ErrorCode;
  finding: Finding;
  patchId?: string;
  context?: ErrorContext;
  /** A credential. It leaves this process in no finding and no context, whichever gate shows the line it stands on. */
  secret?: string;
  /** The gate could not come to an end: neither passed nor found. */
  inconclusive?: true;
}

/** What a gate looks at. Nothing of it is on disk yet. */
export interface GateInput {
  plan: Plan;
  before: ReadonlyMap<string, { bytes: Uint8Array; mode: FileMode } | null>;
}

export interface Gate {
  name: string;
  level: GateLevel;
  /** Does not run where a gate before it has refused the batch. */
  last?: true;
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

/** The patch a place of a file, as it is after the batch, is laid to: the one that landed there, else the file's only one. */
export function patchAt(
  patches: readonly PlannedPatch[],
  path: string,
  line: number,
  from: string | null = null,
): string | undefined {
  const ofFile = patches.filter(({ file }) => file === path || file === from);
  const there = ofFile.findLast(({ landed }) => landed !== null && landed.start <= line && line <= landed.end);
  return (there ?? (ofFile.length === 1 ? ofFile[0] : undefined))?.patch_id;
}
