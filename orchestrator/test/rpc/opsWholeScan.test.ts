import { type GithubCommand, steerGithub } from "@shared/testing/githubControl";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { OpsMonitorService } from "../../worker/services/ops/OpsMonitorService.ts";
import { emptyOps, rowsIn } from "./opsHarness.ts";
import { mint, value } from "./workspaceHarness.ts";

/** The orchestrator's scan with the real Workers before GitHub and Cloudflare, and a GitHub that keeps its limits. */
type Runs = Extract<GithubCommand, { action: "addRuns" }>["runs"];
const github = inject("github");
const steer = (command: GithubCommand) => steerGithub(github.url, command);

const HOUR = 3_600_000;
const RUNS = 3_000;
const FAILS_EVERY = 15;
const name = mint("night");
const repository = `acme/${name}`;
const CAUSES = [
  (n: number) => `src/a.ts(${n},2): error TS2304: Cannot find name 'Money'.`,
  (n: number) => `Error: connect ECONNREFUSED 10.0.0.${n % 250}:5432`,
  (n: number) => `fatal: unable to access 'https://git.example/${n}.git/': Could not resolve host: git.example`,
  (n: number) => `npm error code ERESOLVE\nnpm error ERESOLVE could not resolve ${n}`,
];
const stamp = "2026-11-20T02:14:10.1182274Z";

beforeAll(async () => {
  await emptyOps();
  const { sha = "" } = await steer({ action: "addRepository", repository });
  const now = Date.now();
  await steer({
    action: "addRuns",
    repository,
    runs: Array.from({ length: RUNS }, (_, n): Runs[number] => ({
      head_sha: sha,
      conclusion: n % FAILS_EVERY === 0 ? "failure" : "success",
      // Most of them in one hour.
      at: now - 3 * HOUR + Math.floor((n / RUNS) * HOUR) - (n % 7 === 0 ? 10 * HOUR : 0),
      logs: {
        "0_build.txt":
          n % FAILS_EVERY === 0
            ? `${stamp} ${CAUSES[(n / FAILS_EVERY) % CAUSES.length]?.(n)}\n${stamp} ##[error]Process completed with exit code 1.\n`
            : "fine\n",
      },
    })),
  });
});
afterAll(emptyOps);

test("3,000 runs are read, grouped and filed by one scan, within the limits that GitHub keeps", async () => {
  // On the way: a secondary limit, an abuse refusal, a link whose minute is over, a failure.
  const path = `/repos/${repository}/actions/runs`;
  await steer({ action: "fault", path, fault: { kind: "secondary", retryAfterSeconds: 1 } });
  await steer({
    action: "fault",
    path: `${path}/`,
    fault: {
      kind: "status",
      status: 403,
      message: "You have triggered an abuse detection mechanism. Please retry your request again later.",
      headers: { "retry-after": "1" },
    },
  });
  await steer({
    action: "fault",
    path: "/__logs/",
    fault: { kind: "status", status: 403, text: "AuthenticationFailed" },
  });
  await steer({ action: "fault", path: `${path}?`, fault: { kind: "status", status: 502 } });

  const ctx = createContext({ ...env, GITHUB_OWNER: "acme", GITHUB_REPO: name }, { actor: systemActor("test") });
  const { scan } = value(await new OpsMonitorService(ctx).runScan("cicd"));
  expect(scan).toMatchObject({ outcome: "done", error: null });
  const failed = RUNS / FAILS_EVERY;
  expect(scan.totals).toMatchObject({ build_logs: failed, skipped: 0, reviewed: failed });
  expect(await rowsIn(env.DB_LOGS, "SELECT count(*) AS lines, count(DISTINCT run_id) AS runs FROM build_logs")).toEqual(
    [{ lines: failed, runs: failed }],
  );
  const causes = await rowsIn(
    env.DB_OPS,
    "SELECT occurrences, rule_severity, gh_issue_number IS NOT NULL AS filed FROM ops_issues",
  );
  expect(causes.map(({ occurrences }) => occurrences)).toEqual([50, 50, 50, 50]);
  for (const { rule_severity: severity, filed } of causes) expect(filed).toBe(Number(severity) <= 3 ? 1 : 0);

  const { seen = [] } = await steer({ action: "seen", path: repository });
  const counted = seen.filter(({ status }) => status !== 304);
  expect(counted.length).toBeLessThan(1_000);
  // What was refused is what was told to be: no limit was run into.
  expect(
    counted
      .filter(({ status }) => (status ?? 0) >= 400)
      .map(({ status }) => status ?? 0)
      .toSorted((a, b) => a - b),
  ).toEqual([403, 403, 502]);

  // The same night again: nothing is read, counted or filed twice.
  const again = value(await new OpsMonitorService(ctx).runScan("cicd"));
  expect(again.scan).toMatchObject({ outcome: "done", totals: { build_logs: 0, reviewed: 0, issues_opened: 0 } });
});
