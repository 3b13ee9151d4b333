import { steerGithub } from "@shared/testing/githubControl";
import { env } from "cloudflare:workers";
import { afterAll, beforeEach, expect, inject, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { OpsMonitorService } from "../../worker/services/ops/OpsMonitorService.ts";
import { requestRerun } from "../../worker/services/ops/readReruns.ts";
import { handleDelivery } from "../../worker/services/webhooks/handleDelivery.ts";
import { emptyOps, rowsIn } from "./opsHarness.ts";
import { mint, value } from "./workspaceHarness.ts";

/** The real Worker before GitHub, and a GitHub whose runs are run again. */
const HOUR = 3_600_000;
const { url } = inject("github");
const logOf = (n: number) => ({
  "0_build.txt": `2026-11-20T02:14:10.1182274Z src/a.ts(${n},2): error TS2304: no 'x${n}'.\n`,
});
const empty = async () => {
  await emptyOps();
  await env.DB_OPS.prepare("DELETE FROM ops_rerun_requests").run();
};
beforeEach(empty);
afterAll(empty);

async function aRun() {
  const name = mint("rerun");
  const repository = `acme/${name}`;
  const { sha: head_sha = "" } = await steerGithub(url, { action: "addRepository", repository });
  const { runs = [] } = await steerGithub(url, {
    action: "addRuns",
    repository,
    runs: [{ head_sha, at: Date.now() - 2 * HOUR, logs: logOf(1) }],
  });
  const id = runs[0] ?? 0;
  /** Ends of addresses at which nothing answers. */
  const away = new Set<string>();
  let now = Date.now();
  const ctx = createContext(
    {
      ...env,
      GITHUB_OWNER: "acme",
      GITHUB_REPO: name,
      GITHUB_QUEUE: undefined,
      CORE_GITHUB_API: {
        fetch: async (address: string, init?: RequestInit) => {
          if ([...away].some((part) => address.endsWith(part))) throw new Error("away");
          return env.CORE_GITHUB_API.fetch(address, init);
        },
      },
    } as unknown as Env,
    { actor: systemActor("test"), now: () => new Date(now) },
  );
  const scan = async () => value(await new OpsMonitorService(ctx).runScan("cicd")).scan;
  const said = async (attempt: number, conclusion = "failure") => {
    const delivery = crypto.randomUUID();
    const body = {
      action: "completed",
      repository: { full_name: repository },
      workflow_run: {
        id,
        status: "completed",
        conclusion,
        run_attempt: attempt,
        updated_at: new Date(now).toISOString(),
      },
    };
    await env.DB_OPS.prepare(
      "INSERT INTO github_deliveries (delivery, body_hash, event, said, received_at) VALUES (?1, ?1, 'workflow_run', ?2, ?3)",
    )
      .bind(delivery, JSON.stringify(body), new Date(now).toISOString())
      .run();
    await handleDelivery(ctx, delivery);
  };
  const attempts = async () =>
    (await rowsIn(env.DB_LOGS, "SELECT meta ->> '$.attempt' AS attempt FROM build_logs ORDER BY id")).map(
      ({ attempt }) => Number(attempt),
    );
  const waiting = () => rowsIn(env.DB_OPS, "SELECT run_id, attempt FROM ops_rerun_requests ORDER BY attempt");
  const later = (ms: number) => void (now += ms);
  return { away, repository, id, scan, said, attempts, waiting, later };
}

test("the logs of a run that is run again are read, once, though its window was read before", async () => {
  const { repository, id, scan, said, attempts, waiting, later } = await aRun();
  expect((await scan()).totals).toMatchObject({ build_logs: 1 });
  // The first attempt's event asks for the window alone.
  await said(1);
  expect(await waiting()).toEqual([]);
  await steerGithub(url, { action: "rerun", repository, id, logs: logOf(2) });
  await said(2);
  await said(2);
  expect(await waiting()).toEqual([{ run_id: id, attempt: 2 }]);
  // Its logs may not be there yet.
  expect((await scan()).totals).toMatchObject({ build_logs: 0, skipped: 0 });
  expect(await waiting()).toHaveLength(1);
  later(10 * 60_000);
  const read = await scan();
  expect(read).toMatchObject({ outcome: "done", totals: { build_logs: 1, reviewed: 1, issues_opened: 0 } });
  expect(await attempts()).toEqual([1, 2]);
  expect(await waiting()).toEqual([]);
  expect(await rowsIn(env.DB_OPS, "SELECT occurrences FROM ops_issues")).toEqual([{ occurrences: 2 }]);
  // Asked for again, as where a scan was cut off before the request went: nothing is stored twice.
  await requestRerun(env.DB_OPS, { repository, runId: id, attempt: 2 }, new Date()).run();
  await requestRerun(env.DB_OPS, { repository, runId: id, attempt: 1 }, new Date()).run();
  expect((await scan()).totals).toMatchObject({ build_logs: 0 });
  expect(await attempts()).toEqual([1, 2]);
  expect(await waiting()).toEqual([]);
  // One that went well is not asked for.
  await steerGithub(url, { action: "rerun", repository, id, conclusion: "success" });
  await said(3, "success");
  expect(await waiting()).toEqual([]);
});

test("an attempt that GitHub does not give at the moment waits and holds no other up; one that is gone is asked for no more", async () => {
  const { away, repository, id, scan, said, attempts, waiting, later } = await aRun();
  await scan();
  await steerGithub(url, { action: "rerun", repository, id, logs: logOf(2) });
  await steerGithub(url, { action: "rerun", repository, id, logs: logOf(3) });
  await steerGithub(url, { action: "rerun", repository, id, logs: null });
  for (const attempt of [2, 3, 4, 5]) await said(attempt);
  later(10 * 60_000);
  away.add(`/actions/runs/${id}/logs?attempt=2`);
  expect(await scan()).toMatchObject({ outcome: "partial", totals: { build_logs: 1, skipped: 2 } });
  expect(await attempts()).toEqual([1, 3]);
  expect(await waiting()).toEqual([{ run_id: id, attempt: 2 }]);
  later(10 * 60_000);
  away.clear();
  expect(await scan()).toMatchObject({ outcome: "done", totals: { build_logs: 1 } });
  expect(await attempts()).toEqual([1, 3, 2]);
  expect(await waiting()).toEqual([]);
  // Nothing is asked for without end.
  away.add(`/actions/runs/${id}/logs?attempt=3`);
  await said(3);
  later(8 * 24 * HOUR);
  await scan();
  expect(await waiting()).toEqual([]);
});
