import type { OpsScanRpc, OpsScope } from "@shared/contracts";
import { env, exports } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { emptyOps, rowsIn } from "../rpc/opsHarness.ts";
import { answerOf, call, problemOf, tokenWith } from "./caller.ts";

beforeEach(emptyOps);

const scans = () => rowsIn(env.DB_OPS, "SELECT id, scope, started_by FROM ops_scans ORDER BY id");
const as = (caller: string): OpsScanRpc => exports.OpsScan({ props: { caller } });

test("asking for the last scan starts none, whatever is asked along", async () => {
  for (const query of ["", "?scope=full", "?start=true"]) {
    const answer = await call(`/api/ops/scan${query}`);
    expect(answer.status).toBe(200);
    expect(await answerOf(answer)).toEqual({ ok: true, scan: null });
  }
  expect((await call("/api/ops/scan", { method: "HEAD" })).status).toBeLessThan(500);
  expect((await call("/api/ops/scans")).status).toBe(200);
  expect((await call("/api/ops/summary")).status).toBe(200);
  expect(await scans()).toEqual([]);

  const started = await call("/api/ops/scan", { body: { scope: "cloudflare" } });
  expect(started.status).toBe(200);
  const { ok, scan, ...counted } = await answerOf(started);
  expect(ok).toBe(true);
  expect(counted).toEqual({
    scan_id: expect.any(Number),
    worker_logs: 0,
    build_logs: 0,
    reviewed: 0,
    issues_opened: 0,
  });
  expect(scan).toMatchObject({ scope: "cloudflare", outcome: expect.stringMatching(/^(?:done|partial)$/) });
  for (let time = 0; time < 3; time += 1)
    expect(await answerOf(await call("/api/ops/scan"))).toEqual({ ok: true, scan });
  expect(await scans()).toHaveLength(1);
});

test("a scan is of a scope that there is; without one it is of all", async () => {
  const refused = await call("/api/ops/scan", { body: { scope: "everything" } });
  expect((await problemOf(refused)).code).toBe("VALIDATION_FAILED");
  expect((await call("/api/ops/scan", { method: "POST" })).status).toBe(200);
  expect(await scans()).toMatchObject([{ scope: "full" }]);
});

test("who may only read sees scans and starts none", async () => {
  const { token } = await tokenWith(["ops:read"]);
  expect((await call("/api/ops/scan", { token })).status).toBe(200);
  const refused = await call("/api/ops/scan", { token, body: { scope: "full" } });
  expect(refused.status).toBe(403);
  expect((await problemOf(refused)).code).toBe("FORBIDDEN");
  expect(await scans()).toEqual([]);
});

test("a factory asks for a scan by RPC, under its binding's name; a binding without props has no caller", async () => {
  for (const scope of ["cloudflare", "cicd", "full"] as const) {
    expect(await as("agent-factory").scan(scope)).toMatchObject({ ok: true, scan: { scope } });
  }
  expect(await as("data-factory").scan()).toMatchObject({ ok: true, scan: { scope: "full" }, issues_opened: 0 });
  expect(await as("agent-factory").scan("all" as OpsScope)).toMatchObject({ error: { code: "VALIDATION_FAILED" } });
  expect(await as("").scan("full")).toMatchObject({ error: { code: "UNAUTHENTICATED" } });
  expect((await scans()).map(({ started_by: by }) => by)).toEqual([
    "factory:agent-factory",
    "factory:agent-factory",
    "factory:agent-factory",
    "factory:data-factory",
  ]);
});
