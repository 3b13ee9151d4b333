import { ProblemSchema, WorkerLogsSchema } from "@shared/contracts";
import { steerCloudflare } from "@shared/testing/cloudflareControl";
import { env, exports } from "cloudflare:workers";
import { beforeEach, expect, inject, test } from "vitest";
import { createCloudflareApp } from "../worker/app.ts";

const { url, account, token } = inject("cloudflare");
const NOW = Date.UTC(2026, 10, 20, 9);
const app = createCloudflareApp({ now: () => NOW });
const bindings = { ...env, CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_TOKEN: token, CALLER: "orchestrator" };
const ask = (query: string, more: object = {}) =>
  app.fetch(new Request(`https://core-cloudflare-api/v1/logs/workers?${query}`), { ...bindings, ...more });

beforeEach(() => steerCloudflare(url, { action: "reset" }));

test("warnings, errors and exceptions of a window are read to the last, each once, with the commit of their version", async () => {
  await steerCloudflare(url, {
    action: "log",
    events: Array.from({ length: 1_300 }, (_, n) => ({
      worker: "api",
      level: n % 13 === 0 ? ("info" as const) : n % 2 === 0 ? ("error" as const) : ("warn" as const),
      message: `line ${n}`,
      timestamp: NOW - 60_000 - (n % 50),
      tag: "c0ffee0",
    })),
  });
  await steerCloudflare(url, {
    action: "log",
    events: [{ worker: "api", level: "error", message: "too old", timestamp: NOW - 25 * 3_600_000 }],
  });
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const answer = await ask(`window=24h${cursor === null ? "" : `&cursor=${cursor}`}`);
    const page = WorkerLogsSchema.parse(await answer.json());
    ids.push(...page.logs.map(({ id }) => id));
    expect(
      page.logs.every(({ commit, worker, level }) => commit === "c0ffee0" && worker === "api" && level !== "info"),
    ).toBe(true);
    cursor = page.cursor;
  } while (cursor !== null);
  expect(ids).toHaveLength(1_200);
  expect(new Set(ids).size).toBe(1_200);
});

test("what Cloudflare refuses or fails at is said, without the token", async () => {
  const codeOf = async (response: Response) => {
    const text = await response.text();
    expect(text).not.toContain(token);
    return ProblemSchema.parse(JSON.parse(text)).code;
  };
  for (const [status, code] of [
    [429, "RATE_LIMITED"],
    [500, "UPSTREAM_UNAVAILABLE"],
    [0, "UPSTREAM_UNAVAILABLE"],
    [400, "UPSTREAM_REFUSED"],
  ] as const) {
    await steerCloudflare(url, { action: "fail", status });
    expect(await codeOf(await ask("window=1h")), String(status)).toBe(code);
  }
  expect(await codeOf(await ask("window=1h", { CLOUDFLARE_API_TOKEN: "wrong" }))).toBe("UPSTREAM_REFUSED");
  expect(await codeOf(await ask("window=1h", { CLOUDFLARE_API_TOKEN: undefined }))).toBe("UPSTREAM_UNAVAILABLE");
  expect(await codeOf(await ask("window=1h", { CLOUDFLARE_API_URL: "http://elsewhere.test" }))).toBe(
    "UPSTREAM_UNAVAILABLE",
  );
  expect(await codeOf(await ask("window=400d"))).toBe("VALIDATION_FAILED");
});

test("nobody reaches it over HTTP", async () => {
  const answer = await exports.default.fetch("http://worker/v1/logs/workers");
  expect(await answer.text()).not.toContain("logs");
});
