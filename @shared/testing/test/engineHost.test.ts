import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEngineHost } from "@shared/testing";
import { expect, onTestFinished, test } from "vitest";

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

test("a started host is ready, answers with its token, and stops with exit code 0, its own data gone", async () => {
  const host = await startEngineHost();
  onTestFinished(() => host.kill());
  expect((await host.request("GET", "/readyz")).body).toEqual({ ok: true, ready: true });
  expect((await host.request("GET", "/v1/workspaces/absent")).status).toBe(404);
  expect((await fetch(`${host.url}/v1/workspaces/absent`)).status).toBe(401);
  expect(await host.stop()).toEqual({ code: 0, signal: null });
  expect(await exists(host.dataDir)).toBe(false);
});

test("a killed host is gone at once and leaves a data directory that was given", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "engine-host-test-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const host = await startEngineHost({ dataDir });
  await host.kill();
  expect(await host.exited).toEqual({ code: null, signal: "SIGKILL" });
  await expect(host.request("GET", "/healthz")).rejects.toThrow("fetch failed");
  expect(await exists(dataDir)).toBe(true);
});

test("a host that cannot start is an error that carries what it said", async () => {
  await expect(startEngineHost({ env: { ENGINE_PORT: "port" } })).rejects.toThrow("ENGINE_PORT");
});
