import { ListOpsIssuesSchema } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { recordedQuery } from "../../worker/services/github/ordersOfPulls.ts";
import { readOf, RETURNED, UPSERT, COMMITS as COUNT_COMMITS } from "../../worker/services/ops/countTroubles.ts";
import {
  alertsOverQuery,
  closeQuietQuery,
  endClaimsQuery,
  toAlertQuery,
  unfiledQuery,
  unjudgedQuery,
  untoldReturnsQuery,
  untoldStatesQuery,
} from "../../worker/services/ops/due.ts";
import { relatedQuery } from "../../worker/services/ops/fileIssues.ts";
import {
  BY_AGE,
  BY_KIND,
  BY_SEVERITY,
  BY_SOURCE,
  BY_STATUS,
  waitingQuery,
} from "../../worker/services/ops/getOpsSummary.ts";
import { opsIssuesQuery } from "../../worker/services/ops/listOpsIssues.ts";
import { dueRerunsQuery } from "../../worker/services/ops/readReruns.ts";
import { ListScansSchema, scansQuery } from "../../worker/services/ops/listScans.ts";
import { BEGIN, STUCK } from "../../worker/services/ops/OpsMonitorService.ts";
import { COMMITS, COUNTED, deletion, oldLines, SCANS, STILL_OPEN } from "../../worker/services/ops/trimOps.ts";
import { lostQuery } from "../../worker/services/webhooks/sweepDeliveries.ts";

const { db } = createContext(env, { actor: systemActor("test") });
const { DB_OPS, DB_LOGS } = env;
const NOW = "2026-11-20T09:00:00.000Z";
const issues = (filter: object) => opsIssuesQuery(db, ListOpsIssuesSchema.parse(filter)).compile();

interface Asked {
  sql: string;
  parameters: readonly unknown[];
}
async function planOf(database: D1Database, { sql, parameters }: Asked): Promise<string> {
  const { results } = await database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...parameters)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail).join("\n");
}

/** A table read from end to end; what is handed over as JSON, a constant and an index that holds just the rows are none. */
const WHOLE =
  /^SCAN (?!json_each|t\b|CONSTANT|\w+ USING INDEX ops_(?:issues_(?:untold|unjudged|to_alert|alert_over)|scans_running)|github_deliveries USING INDEX github_deliveries_unhandled|ops_issues USING COVERING INDEX ops_issues_(?:status|by_source)$)/m;

describe("lists of issues and scans are ranges of an index, already in order", () => {
  test.each<[string, Asked, string]>([
    ["issues", issues({}), "INTEGER PRIMARY KEY"],
    ["issues, next page", issues({ cursor: "7" }), "INTEGER PRIMARY KEY"],
    ["issues by status", issues({ status: "open" }), "ops_issues_by_status"],
    ["issues by kind", issues({ kind: "worker-log", cursor: "7" }), "ops_issues_by_kind"],
    ["issues of a Worker", issues({ worker: "api" }), "ops_issues_by_worker"],
    ["issues of a repository", issues({ repo: "acme/site" }), "ops_issues_by_repo"],
    ["issues seen since", issues({ since: NOW }), "INTEGER PRIMARY KEY"],
    ["open issues seen since", issues({ since: NOW, status: "open" }), "ops_issues_by_status"],
    ["grave issues", issues({ severity: 2 }), "INTEGER PRIMARY KEY"],
    ["scans", scansQuery(db, ListScansSchema.parse({})).compile(), "INTEGER PRIMARY KEY"],
    ["scans, next page", scansQuery(db, ListScansSchema.parse({ cursor: "7" })).compile(), "INTEGER PRIMARY KEY"],
  ])("%s", async (_, query, index) => {
    const plan = await planOf(DB_OPS, query);
    expect(plan).toMatch(new RegExp(`^SEARCH \\w+ USING (?:INDEX )?${index}`));
    expect(plan).not.toMatch(/TEMP B-TREE/);
    expect(plan).not.toMatch(WHOLE);
  });
});

test.each([{}, { cursor: "7" }, { status: "open" }])(
  "a project's issues are all that is read of them: %o",
  async (filter) => {
    const asked = opsIssuesQuery(db, ListOpsIssuesSchema.parse(filter), { owner: "Acme", name: "site" });
    const plan = await planOf(DB_OPS, asked.compile());
    expect(plan).toMatch(/INDEX ops_issues_of_repo \(/);
    expect(plan).toMatch(/INDEX ops_issues_filed_in \(/);
    expect(plan).toMatch(/INDEX ops_issue_commits_commit \(/);
    expect(plan).not.toMatch(WHOLE);
  },
);

describe("what a scan still has to do is all that it reads", () => {
  test.each<[string, Asked, string]>([
    ["issues that GitHub has not", unfiledQuery(db, 50).compile(), "ops_issues_unfiled"],
    ["states that it was not told", untoldStatesQuery(db, 50).compile(), "ops_issues_untold_state"],
    ["returns that it was not told", untoldReturnsQuery(db, NOW, 50).compile(), "ops_issues_untold_returns"],
    [
      "silent issues",
      closeQuietQuery(db, { kinds: ["worker-log"], quietSince: NOW, now: NOW }).compile(),
      "ops_issues_quiet",
    ],
    ["issues to be graded", unjudgedQuery(db, 20).compile(), "ops_issues_unjudged"],
    ["claims that are over", endClaimsQuery(db, NOW).compile(), "ops_issues_claims"],
    ["issues to tell people of", toAlertQuery(db, 50).compile(), "ops_issues_to_alert"],
    ["alerts that are over", alertsOverQuery(db, 50).compile(), "ops_issues_alert_over"],
    ["deliveries that were lost", lostQuery(db, NOW, 200).compile(), "github_deliveries_unhandled"],
    ["attempts of runs to be read", dueRerunsQuery(db, NOW, 50).compile(), "ops_rerun_requests_due"],
    ["the scan that runs", { sql: STUCK, parameters: [NOW] }, "ops_scans_running"],
    ["whether one runs", { sql: BEGIN, parameters: ["full", NOW, "x", NOW] }, "ops_scans_running"],
    ["what came back", { sql: RETURNED, parameters: ["worker-log", 0, "[]"] }, "ops_issues_"],
    ["issues of the same commit", relatedQuery(db, 1).compile(), "ops_issue_commits_commit"],
  ])("%s", async (_, query, index) => {
    const plan = await planOf(DB_OPS, query);
    expect(plan).toMatch(new RegExp(`USING (?:COVERING )?INDEX ${index}`));
    expect(plan).not.toMatch(WHOLE);
  });

  test.each<[string, Asked]>([
    ["counting lines", { sql: UPSERT, parameters: ["worker-log", 0, "[]", NOW, 1] }],
    ["counting commits", { sql: COUNT_COMMITS, parameters: ["worker-log", 0, "[]", NOW] }],
    ["how far lines are counted", { sql: COUNTED, parameters: ["worker-log"] }],
    ["which issues are open", { sql: STILL_OPEN, parameters: ["[]"] }],
    ["scans that are old", { sql: SCANS, parameters: [NOW, 10] }],
    ["commits that are old", { sql: COMMITS, parameters: [NOW, 10] }],
    ["issues by status", { sql: BY_STATUS, parameters: [] }],
    ["issues by severity", { sql: BY_SEVERITY, parameters: [] }],
    ["issues by kind", { sql: BY_KIND, parameters: [] }],
    ["issues by source", { sql: BY_SOURCE, parameters: [] }],
    ["what waits for a person", waitingQuery(db).selectAll().compile()],
    ["pull requests on record", recordedQuery(db, "acme/site", [{ number: 1 }]).compile()],
    ["issues by age", { sql: BY_AGE, parameters: [NOW, NOW, NOW] }],
  ])("%s", async (_, query) => {
    const plan = await planOf(DB_OPS, query);
    expect(plan).not.toBe("");
    expect(plan).not.toMatch(WHOLE);
  });

  test.each<[string, Asked]>(
    (["worker-log", "build-log"] as const).flatMap((kind): [string, Asked][] => {
      const table = kind === "worker-log" ? "worker_logs" : "build_logs";
      return [
        [`lines of ${table} to be counted`, { sql: readOf(kind), parameters: [0, 10] }],
        [`old lines of ${table}`, { sql: oldLines(table), parameters: ["", 0, NOW, 9, 10] }],
        [`deleting lines of ${table}`, { sql: deletion(table), parameters: ["[]", "[]", 49] }],
      ];
    }),
  )("%s", async (name, query) => {
    const plan = await planOf(DB_LOGS, query);
    expect(plan).toMatch(/^SEARCH \w+ USING/);
    expect(plan).not.toMatch(WHOLE);
    if (!name.startsWith("deleting")) expect(plan).not.toMatch(/TEMP B-TREE/);
  });
});
