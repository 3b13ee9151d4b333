import type { OpsKind, ScanTotals } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { FINGERPRINT_VERSION, fingerprintOf } from "./fingerprint.ts";
import { promptOf } from "./issueText.ts";
import { logIssue } from "./logIssue.ts";
import { severityOf } from "./severity.ts";

/** Lines looked at in one step, and bytes that are said of their troubles in one write: D1 takes 2 MB in one value. */
const STEP = 1_000;
const STEP_BYTES = 900_000;

const LOGS = {
  "worker-log": { table: "worker_logs", source: "worker", run: null },
  "build-log": { table: "build_logs", source: "repo", run: "run_id" },
} as const;

interface Row {
  id: number;
  source: string;
  run_id: string | null;
  level: "warn" | "error";
  message: string;
  ts: string;
  commit_sha: string | null;
}

interface Group {
  fingerprint: string;
  template: string;
  frame: string | null;
  source: string;
  run_id: string | null;
  level: "warn" | "error";
  count: number;
  first: string;
  last: string;
  commits: Set<string>;
}

interface Returned {
  id: number;
  template: string | null;
  worker: string | null;
  repo: string | null;
}

/**
 * Counts the lines of a log that have come in since the last time to the issue of their trouble, which is made where there
 * is none and opened where it was closed. A step's counts and its place in the log are one write, guarded by that place:
 * carried out twice, or by two at once, a line counts once.
 */
export async function countTroubles(
  ctx: ServiceContext,
  kind: OpsKind,
  { alive, totals }: { alive: () => Promise<void>; totals: ScanTotals },
): Promise<void> {
  for (;;) {
    await alive();
    const cursor = await ctx.db.ops
      .selectFrom("ops_cursors")
      .select("position")
      .where("name", "=", kind)
      .executeTakeFirst();
    const from = cursor?.position ?? 0;
    const { results: rows } = await ctx.env.DB_LOGS.prepare(readOf(kind)).bind(from, STEP).all<Row>();
    if (rows.length === 0) return;
    const said = fittingOf(kind, rows);
    const step = await countStep(ctx, kind, { from, ...said });
    // Somebody else has counted these lines meanwhile: theirs counts.
    if (step === null) continue;
    totals.reviewed += said.lines;
    totals.issues_reopened += step.returned.length;
    for (const row of step.returned) await logIssue(ctx, "returned", row);
  }
}

export const readOf = (kind: OpsKind): string => {
  const { table, source, run } = LOGS[kind];
  return `SELECT id, ${source} AS source, ${run ?? "NULL"} AS run_id, level, message, ts, commit_sha FROM ${table}
    WHERE id > ?1 AND fingerprint IS NOT NULL ORDER BY id LIMIT ?2`;
};

function groupsOf(kind: OpsKind, rows: readonly Row[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { source, run_id, level, message, ts, commit_sha } of rows) {
    const { fingerprint, template, frame } = fingerprintOf({ kind, source, message });
    const group = groups.get(fingerprint) ?? {
      fingerprint,
      template,
      frame,
      source,
      run_id,
      level,
      count: 0,
      first: ts,
      last: ts,
      commits: new Set(),
    };
    group.count += 1;
    if (level === "error") group.level = "error";
    if (ts < group.first) group.first = ts;
    if (ts > group.last) group.last = ts;
    if (commit_sha !== null) group.commits.add(commit_sha);
    groups.set(fingerprint, group);
  }
  return [...groups.values()];
}

interface Step {
  /** The last line of it. */
  to: number;
  lines: number;
  groups: readonly Group[];
  troubles: string;
}

/** As many of the lines, from the first on, as one write can say the troubles of: each may be another, and long. */
function fittingOf(kind: OpsKind, rows: readonly Row[]): Step {
  for (let lines = rows.length; ; lines = Math.ceil(lines / 2)) {
    const groups = groupsOf(kind, rows.slice(0, lines));
    const troubles = troublesOf(kind, groups);
    if (lines > 1 && Buffer.byteLength(troubles) > STEP_BYTES) continue;
    return { to: rows[lines - 1]?.id ?? 0, lines, groups, troubles };
  }
}

const troublesOf = (kind: OpsKind, groups: readonly Group[]): string =>
  JSON.stringify(
    groups.map(({ commits: _commits, level, count, first, last, ...group }) => {
      const { template, source, run_id, fingerprint, frame } = group;
      const severity = severityOf({ kind, level, template, occurrences: count });
      const worker = kind === "worker-log" ? source : null;
      const repo = kind === "build-log" ? source : null;
      const described = { kind, severity, worker, repo, run_id, fingerprint, template, frame, occurrences: count };
      const prompt = promptOf({ ...described, first_seen: first, last_seen: last });
      const analysis = `By rule: severity ${severity} of 5, from its words, its level (${level}) and how often it happened.`;
      return { ...described, count, first, last, prompt, analysis };
    }),
  );

/** Null: the place in the log is not `from` any more. */
async function countStep(
  ctx: ServiceContext,
  kind: OpsKind,
  { from, to, groups, troubles }: Step & { from: number },
): Promise<{ returned: Returned[] } | null> {
  const now = ctx.now().toISOString();
  const database = ctx.env.DB_OPS;
  const commits = JSON.stringify(
    groups.flatMap(({ fingerprint, commits: all }) => [...all].map((sha) => ({ fingerprint, sha }))),
  );
  const results = await database.batch<Returned>([
    database.prepare(RETURNED).bind(kind, from, troubles),
    database.prepare(UPSERT).bind(kind, from, troubles, now, FINGERPRINT_VERSION),
    database.prepare(COMMITS).bind(kind, from, commits, now),
    database.prepare(MOVE).bind(kind, from, to),
  ]);
  if (results[3]?.meta.changes !== 1) return null;
  return { returned: rowsOf(results[0]) };
}

const AT = "(SELECT position FROM ops_cursors WHERE name = ?1) = ?2";

/** Those of the troubles that were closed, and have been seen since. */
export const RETURNED = `
  SELECT i.id, i.template, i.worker, i.repo FROM json_each(?3) AS t JOIN ops_issues AS i ON i.fingerprint = t.value ->> '$.fingerprint'
  WHERE ${AT} AND i.status IN ('resolved', 'closed') AND t.value ->> '$.last' > coalesce(i.closed_at, '')`;

const BACK =
  "(ops_issues.status IN ('resolved', 'closed') AND excluded.last_seen > coalesce(ops_issues.closed_at, ''))";
export const UPSERT = `
  INSERT INTO ops_issues (kind, severity, rule_severity, judged_by, status, worker, repo, run_id, prompt, analysis,
    fingerprint, fingerprint_version, template, frame, occurrences, first_seen, last_seen, created_at, updated_at)
  SELECT ?1, value ->> '$.severity', value ->> '$.severity', 'rule', 'open', value ->> '$.worker', value ->> '$.repo',
    value ->> '$.run_id', value ->> '$.prompt', value ->> '$.analysis', value ->> '$.fingerprint', ?5,
    value ->> '$.template', value ->> '$.frame', value ->> '$.count', value ->> '$.first', value ->> '$.last', ?4, ?4
  FROM json_each(?3) WHERE ${AT}
  ON CONFLICT (fingerprint) WHERE fingerprint IS NOT NULL DO UPDATE SET
    occurrences = ops_issues.occurrences + excluded.occurrences,
    first_seen = min(ops_issues.first_seen, excluded.first_seen),
    last_seen = max(ops_issues.last_seen, excluded.last_seen),
    severity = CASE WHEN excluded.rule_severity < ops_issues.rule_severity THEN excluded.severity ELSE ops_issues.severity END,
    rule_severity = min(ops_issues.rule_severity, excluded.rule_severity),
    reopened = ops_issues.reopened + ${BACK},
    status = CASE WHEN ${BACK} THEN 'open' ELSE ops_issues.status END,
    closed_at = CASE WHEN ${BACK} THEN NULL ELSE ops_issues.closed_at END,
    updated_at = excluded.updated_at`;
export const COMMITS = `
  INSERT INTO ops_issue_commits (issue_id, commit_sha, first_seen)
  SELECT i.id, value ->> '$.sha', ?4 FROM json_each(?3) JOIN ops_issues AS i ON i.fingerprint = value ->> '$.fingerprint'
  WHERE ${AT} ON CONFLICT DO NOTHING`;
const MOVE = "UPDATE ops_cursors SET position = ?3 WHERE name = ?1 AND position = ?2";
