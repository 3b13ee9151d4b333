import type { Selectable } from "kysely";
import type { ServiceContext } from "../../context.ts";
import type { OpsDatabase } from "../../database/schema.ts";
import type { Said } from "../webhooks/said.ts";

/** What the checks of a commit come to; null: none is known. */
export type ChecksState = "pending" | "success" | "failure";

type Row = Pick<Selectable<OpsDatabase["github_checks"]>, "suite_id" | "name" | "status" | "conclusion" | "at">;

/** Checks of one commit that are read; more of them are no more of use. */
export const MAX_CHECKS = 1_000;
const MAX_NAME = 200;
const PASSING: ReadonlySet<string> = new Set(["success", "neutral", "skipped"]);
const statusOf = (status: string): "queued" | "in_progress" | "completed" =>
  status === "completed" ? "completed" : status === "in_progress" ? "in_progress" : "queued";

/**
 * The statement that takes over what GitHub says of a check. A check that is run again is another run of the same name
 * and suite, with a higher number; of one run, what is further on wins, and of a suite, what is later.
 */
export function checkStatement(database: D1Database, repository: string, said: Said, now: string) {
  const { check_run: run, check_suite: suite } = said;
  const put = (sha: string, ...values: unknown[]) => database.prepare(PUT).bind(repository, sha, ...values, now);
  if (run) {
    const at = new Date(run.completed_at ?? run.started_at ?? 0).toISOString();
    const name = run.name.slice(0, MAX_NAME).toWellFormed() || "check";
    return put(run.head_sha, run.check_suite.id, name, run.id, statusOf(run.status), run.conclusion ?? null, at);
  }
  if (!suite) return null;
  const at = new Date(suite.updated_at).toISOString();
  return put(suite.head_sha, suite.id, "", 0, statusOf(suite.status), suite.conclusion ?? null, at);
}

const RANK = (table: string): string =>
  `CASE ${table}.status WHEN 'completed' THEN 2 WHEN 'in_progress' THEN 1 ELSE 0 END`;
const PUT = `
  INSERT INTO github_checks (repository, head_sha, suite_id, name, run_id, status, conclusion, at, seen_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
  ON CONFLICT (repository, head_sha, suite_id, name) DO UPDATE SET
    run_id = excluded.run_id, status = excluded.status, conclusion = excluded.conclusion, at = excluded.at,
    seen_at = excluded.seen_at
  WHERE excluded.run_id > github_checks.run_id
    OR (excluded.run_id = github_checks.run_id AND CASE excluded.name
      WHEN '' THEN (excluded.at, ${RANK("excluded")}) > (github_checks.at, ${RANK("github_checks")})
      ELSE (${RANK("excluded")}, excluded.at) > (${RANK("github_checks")}, github_checks.at) END)`;

export const checksQuery = (db: ServiceContext["db"], commit: { repository: string; head_sha: string }) =>
  db.ops
    .selectFrom("github_checks")
    .select(["suite_id", "name", "status", "conclusion", "at"])
    .where("repository", "=", commit.repository)
    .where("head_sha", "=", commit.head_sha)
    .limit(MAX_CHECKS);

/** A suite's own word counts unless a run of it is later; what fails fails the whole, what is not done holds it open. */
export function checksOf(rows: readonly Row[]): ChecksState | null {
  if (rows.length === 0) return null;
  const suites = Map.groupBy(rows, (row) => row.suite_id);
  const states = [...suites.values()].flatMap((of) => {
    const runs = of.filter(({ name }) => name !== "");
    const suite = of.find(({ name }) => name === "");
    return suite && runs.every(({ at }) => at <= suite.at) ? [stateOf(suite)] : runs.map(stateOf);
  });
  if (states.includes("failure")) return "failure";
  return states.includes("pending") ? "pending" : "success";
}

const stateOf = ({ status, conclusion }: Pick<Row, "status" | "conclusion">): ChecksState => {
  if (status !== "completed") return "pending";
  return PASSING.has(conclusion ?? "") ? "success" : "failure";
};
