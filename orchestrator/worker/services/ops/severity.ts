import type { OpsKind } from "@shared/contracts";

/** Graver than this, and it is filed. */
export const FILED_UP_TO = 3;
/** As grave as this, and a person is told at once. */
export const ALERTED_UP_TO = 2;
/** So many lines of one trouble in one night are a grade graver. */
const MANY = 100;

const LOST =
  /no such (?:table|column)|corrupt|malformed|data ?loss|DATA RACE|exceeded memory|out of memory|no space left|CHAIN_BROKEN|TREE_MISMATCH/i;
/** Of the network, of a limit or of the moment: what comes and goes without anybody's doing. */
const PASSING =
  /ECONNRE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|Network connection lost|toomanyrequests|rate.?limit|Too Many Requests|\b429\b|shutdown signal|code was updated|timed? ?out/i;

/** How grave a trouble is, 1 to 5, by rule: from the words of its template, its level, and how often it happened. */
export function severityOf(trouble: {
  kind: OpsKind;
  level: "warn" | "error";
  template: string;
  occurrences: number;
}): number {
  const { kind, level, template, occurrences } = trouble;
  const base =
    level === "warn" ? 4 : LOST.test(template) ? 1 : PASSING.test(template) ? 4 : kind === "worker-log" ? 2 : 3;
  return Math.max(1, occurrences >= MANY && base > 1 ? base - 1 : base);
}
