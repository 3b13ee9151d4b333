import type { Safety } from "@shared/contracts";

/** What a plan does that may do harm, counted. Everything is a whole number or a share from 0 to 1. */
export interface SafetyFacts {
  /** Lines that stand before and not after, over all files. */
  linesRemoved: number;
  /** The largest share of one file's lines that changes; of a deleted file, all of it; of a new one, none. */
  largestShare: { file: string; share: number } | null;
  filesTouched: number;
  filesDeleted: readonly string[];
  /** Exported names that importers no longer find. */
  exportsRemoved: readonly { file: string; name: string }[];
  /** How many lines the nearest edit is from a guarded region; 0 inside one. Null: no region in a touched file. */
  guardDistance: { file: string; name: string; lines: number } | null;
  /** What gates object to. */
  findings: readonly { gate: string; message: string }[];
  /** Patches whose text was not where they said, and was followed. */
  moved: number;
}

type Reason = Safety["reasons"][number];

const upTo = (most: number, points: number): number => Math.min(most, Math.floor(points));
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
const some = (names: readonly string[]): string =>
  names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");

/**
 * The score: 100 less the points of each reason, and never below 0. Each reason's points grow with its one count and
 * know nothing of the others, so more harm never scores higher:
 *
 * | reason | points | at most |
 * |---|---|---|
 * | `lines-removed` | 1 for every 5 lines removed | 20 |
 * | `share-of-file` | 30 × the largest share of one file that changes | 30 |
 * | `files-touched` | 2 for every file after the first | 10 |
 * | `files-deleted` | 10 each | 20 |
 * | `exports-removed` | 8 for every exported name of JavaScript or TypeScript that goes | 32 |
 * | `guard-near` | 20 inside a guarded region; else 10 next to one, and 1 less for every line between | 20 |
 * | `gate-findings` | 10 for every finding of a gate | 40 |
 * | `text-moved` | 2 for every patch that followed its text elsewhere | 6 |
 *
 * Only reasons that take something are named.
 */
export function scoreOf(facts: SafetyFacts): Safety {
  const { linesRemoved, largestShare, filesTouched, filesDeleted, exportsRemoved, guardDistance, findings } = facts;
  const percent = Math.round((largestShare?.share ?? 0) * 100);
  const exported = exportsRemoved.map(({ file, name }) => `${name} of ${file}`);
  const near = guardDistance?.lines ?? Number.POSITIVE_INFINITY;
  const reasons: Reason[] = [
    reason("lines-removed", upTo(20, linesRemoved / 5), `${plural(linesRemoved, "line")} removed`),
    reason("share-of-file", upTo(30, 30 * (largestShare?.share ?? 0)), `${percent} % of ${largestShare?.file} changes`),
    reason("files-touched", upTo(10, 2 * (filesTouched - 1)), `${plural(filesTouched, "file")} touched`),
    reason("files-deleted", upTo(20, 10 * filesDeleted.length), `deleted: ${some(filesDeleted)}`),
    reason("exports-removed", upTo(32, 8 * exportsRemoved.length), `no longer exported: ${some(exported)}`),
    reason(
      "guard-near",
      near === 0 ? 20 : Math.max(0, 11 - near),
      near === 0
        ? `inside the region guarded as ${guardDistance?.name} in ${guardDistance?.file}`
        : `${plural(near, "line")} from the region guarded as ${guardDistance?.name} in ${guardDistance?.file}`,
    ),
    reason("gate-findings", upTo(40, 10 * findings.length), some(findings.map((one) => `${one.gate}: ${one.message}`))),
    reason("text-moved", upTo(6, 2 * facts.moved), `${plural(facts.moved, "patch")} followed text that had moved`),
  ].filter(({ points }) => points > 0);
  const taken = reasons.reduce((sum, { points }) => sum + points, 0);
  return { score: Math.max(0, 100 - taken), reasons };
}

const reason = (name: Reason["name"], points: number, detail: string): Reason => ({ name, points, detail });
