import type { ProviderName, RunClass } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import { providerState } from "../../worker/durable-objects/provider-state/rpc.ts";
import { SCHEDULE } from "../../worker/schedule.ts";
import { DRIVERS } from "../../worker/services/ai-providers/drivers.ts";
import { getProviderStatus } from "../../worker/services/ai-providers/getProviderStatus.ts";
import { setProviderConfig } from "../../worker/services/ai-providers/setProviderConfig.ts";
import { HOST_CAUSE, providerCause, watchProviders } from "../../worker/services/ai-providers/watchProviders.ts";
import { runSchedule } from "../../worker/services/schedule/runSchedule.ts";
import { alertsOf, value } from "./healthHarness.ts";
import { jules, model } from "./providerHarness.ts";
import { mint } from "./workspaceHarness.ts";

/** An environment with these secrets of providers and no others. Keys are new ones: a breaker is a key's. */
function context(secrets: Record<string, string>, more: Record<string, unknown> = {}): ServiceContext {
  const none = ["JULES", "CODEX", "GEMINI", "CLAUDE", "CURSOR"].map((name) => [`${name}_API_KEY`, undefined]);
  const own = {
    ...env,
    ...Object.fromEntries(none),
    GITHUB_TOKEN: undefined,
    AI_GATEWAY_TOKEN: undefined,
    ...secrets,
    ...more,
  };
  return createContext(own as Env, { actor: systemActor("schedule") });
}

type Answer = { state: "ok" | "failing"; class: RunClass | null; message: string };
const OK: Answer = { state: "ok", class: null, message: "it works" };
const failing = (said: RunClass): Answer => ({ state: "failing", class: said, message: `it is ${said}` });

/** Drivers that answer what the test says, the last again and again, and tell who was asked. */
function scripted(answers: Partial<Record<ProviderName, (Answer | Error | "hangs")[]>>) {
  const asked: ProviderName[] = [];
  let running = 0;
  let most = 0;
  const probe: (typeof DRIVERS)["cli"]["probe"] = async (_, { name }) => {
    asked.push(name);
    most = Math.max(most, (running += 1));
    try {
      await Promise.resolve();
      const script = answers[name] ?? [OK];
      const answer = (script.length > 1 ? script.shift() : script[0]) ?? OK;
      if (answer instanceof Error) throw answer;
      if (answer === "hangs") return await new Promise<never>(() => undefined);
      return answer;
    } finally {
      running -= 1;
    }
  };
  const drivers = {
    cli: { probe, probeIsFree: true },
    jules: { probe, probeIsFree: true },
    model: { probe, probeIsFree: false },
  };
  return { asked, drivers, most: () => most };
}

/** Waits are over at once; a limit only where something hangs. */
const clock = (hangs = false) => ({
  sleep: (ms: number): Promise<void> => (ms > 5_000 && !hangs ? new Promise(() => undefined) : Promise.resolve()),
});

const healthOf = async (ctx: ServiceContext, provider: ProviderName) =>
  value(await getProviderStatus(ctx, { provider })).status.health;
const statusesOf = async (provider: ProviderName) =>
  (await alertsOf(providerCause(provider))).map(({ kind, status, told }) => `${kind} ${status} ${told}`);

beforeEach(async () => {
  await env.DB_OPS.batch([
    env.DB_OPS.prepare("DELETE FROM ai_provider_configs"),
    env.DB_OPS.prepare("DELETE FROM alerts"),
  ]);
});

describe("providers, each hour", () => {
  test("those that are switched on and have a key are asked one after the other; those whose probe costs are not", async () => {
    const ctx = context({
      CLAUDE_API_KEY: mint("key"),
      CODEX_API_KEY: mint("key"),
      JULES_API_KEY: mint("key"),
      AI_GATEWAY_TOKEN: mint("key"),
    });
    value(await setProviderConfig(ctx, { provider: "codex", config: { enabled: false } }));
    const { asked, drivers, most } = scripted({});
    const found = await watchProviders(ctx, drivers, clock());
    expect(asked).toEqual(["claude", "jules"]);
    expect(most()).toBe(1);
    expect(found).toMatchObject({ ok: ["claude", "jules"], failing: [], unasked: ["ai-gateway"] });
    expect(found.off).toEqual(expect.arrayContaining(["codex", "gemini", "cursor", "copilot"]));
    expect(await healthOf(ctx, "claude")).toMatchObject({ state: "ok", message: "it works" });
  });

  test("one that fails is told once, and is over once it works again; its health is kept", async () => {
    const ctx = context({ CURSOR_API_KEY: mint("key") });
    const { drivers } = scripted({ cursor: [failing("provider-error")] });
    for (let hour = 0; hour < 3; hour += 1) {
      expect((await watchProviders(ctx, drivers, clock())).failing).toEqual(["cursor"]);
    }
    expect(await statusesOf("cursor")).toEqual(["provider.unavailable open 1"]);
    expect(await healthOf(ctx, "cursor")).toMatchObject({ state: "failing", message: "it is provider-error" });
    await watchProviders(ctx, scripted({}).drivers, clock());
    expect(await statusesOf("cursor")).toEqual(["provider.unavailable resolved 1"]);
    expect(await healthOf(ctx, "cursor")).toMatchObject({ state: "ok" });
  });

  test("one that fails once and then answers is a blip, and no alert", async () => {
    const ctx = context({ GEMINI_API_KEY: mint("key") });
    const { asked, drivers } = scripted({ gemini: [new Error("no route to host"), OK] });
    expect((await watchProviders(ctx, drivers, clock())).ok).toEqual(["gemini"]);
    expect(asked).toEqual(["gemini", "gemini"]);
    expect(await statusesOf("gemini")).toEqual([]);
  });

  test("one that never answers is given up, and holds up no other", async () => {
    const ctx = context({ CLAUDE_API_KEY: mint("key"), GEMINI_API_KEY: mint("key") });
    const { drivers } = scripted({ claude: ["hangs"] });
    const found = await watchProviders(ctx, drivers, {
      sleep: (ms) => (ms > 5_000 ? new Promise((done) => setTimeout(done, 50)) : Promise.resolve()),
    });
    expect(found).toMatchObject({ failing: ["claude"], ok: ["gemini"] });
    expect(await healthOf(ctx, "claude")).toMatchObject({ message: "it did not answer within 30 s" });
  });

  test("a refused key is asked once, and is over with another key", async () => {
    const { asked, drivers } = scripted({ codex: [failing("auth")] });
    const ctx = context({ CODEX_API_KEY: mint("key") });
    await watchProviders(ctx, drivers, clock());
    expect(asked).toEqual(["codex"]);
    // Though a probe passes: its runs are not let through until the key changes.
    await watchProviders(ctx, scripted({}).drivers, clock());
    expect(await statusesOf("codex")).toEqual(["provider.unavailable open 1"]);
    await watchProviders(context({ CODEX_API_KEY: mint("key") }), scripted({}).drivers, clock());
    expect(await statusesOf("codex")).toEqual(["provider.unavailable resolved 1"]);
  });

  test("one that is switched off, or loses its key, is no longer in trouble", async () => {
    const { drivers } = scripted({ claude: [failing("provider-error")], gemini: [failing("provider-error")] });
    const ctx = context({ CLAUDE_API_KEY: mint("key"), GEMINI_API_KEY: mint("key") });
    await watchProviders(ctx, drivers, clock());
    expect(await statusesOf("claude")).toEqual(["provider.unavailable open 1"]);
    value(await setProviderConfig(ctx, { provider: "claude", config: { enabled: false } }));
    await watchProviders(context({ CLAUDE_API_KEY: mint("key") }), drivers, clock());
    expect(await statusesOf("claude")).toEqual(["provider.unavailable resolved 1"]);
    expect(await statusesOf("gemini")).toEqual(["provider.unavailable resolved 1"]);
  });

  test("a host that is gone is one alert, however many agents have none; a full house is none", async () => {
    const ctx = context({ CLAUDE_API_KEY: mint("key"), CURSOR_API_KEY: mint("key"), JULES_API_KEY: mint("key") });
    const { drivers } = scripted({
      claude: [failing("host-lost")],
      cursor: [failing("host-lost")],
      jules: [failing("rate-limited")],
    });
    await watchProviders(ctx, drivers, clock());
    expect(await alertsOf(HOST_CAUSE)).toMatchObject([{ kind: "provider.unavailable", status: "open", told: 1 }]);
    for (const name of ["claude", "cursor", "jules"] as const) expect(await statusesOf(name)).toEqual([]);
    await watchProviders(ctx, scripted({}).drivers, clock());
    expect(await alertsOf(HOST_CAUSE)).toMatchObject([{ status: "resolved" }]);
  });

  test("of one that is never asked speaks its breaker, which its runs move", async () => {
    const key = mint("key");
    const ctx = context({ AI_GATEWAY_TOKEN: key });
    const { asked, drivers } = scripted({});
    await watchProviders(ctx, drivers, clock());
    const attempt = { executionId: mint("run"), attempt: 1, provider: "ai-gateway" as const };
    const state = providerState(env);
    const reserved = { orderId: null, costUsd: 0, units: 0, maxOrderUsd: null };
    expect(await state.reserve({ ...attempt, ...reserved })).toEqual({ ok: true });
    await state.settle({ ...attempt, class: "auth", retryAfterMs: null, usage: null, costUsd: 0 });
    expect((await watchProviders(ctx, drivers, clock())).unasked).toEqual(["ai-gateway"]);
    expect(await statusesOf("ai-gateway")).toEqual(["provider.unavailable open 1"]);
    await watchProviders(context({ AI_GATEWAY_TOKEN: mint("key") }), drivers, clock());
    expect(await statusesOf("ai-gateway")).toEqual(["provider.unavailable resolved 1"]);
    expect(asked).toEqual([]);
  });

  test("an alert that cannot be stored fails the run, which goes through all of them first", async () => {
    const broken = new Proxy(env.DB_OPS, {
      get: (database, name) =>
        name === "batch"
          ? () => Promise.reject(new Error("D1_ERROR: away"))
          : Reflect.get(database, name).bind(database),
    });
    const ctx = context({ CLAUDE_API_KEY: mint("key"), GEMINI_API_KEY: mint("key") }, { DB_OPS: broken });
    const { asked, drivers } = scripted({ claude: [failing("provider-error")] });
    await expect(watchProviders(ctx, drivers, clock())).rejects.toThrow("steps of the providers' watch failed");
    expect(new Set(asked)).toEqual(new Set(["claude", "gemini"]));
  });
});

test("the real drivers: Jules says whether the key is good, agents whether there is a host, and no model is paid", async () => {
  const key = await jules.account({});
  const gateway = await model.script([{ kind: "text", text: "ready" }]);
  const secrets = { JULES_API_KEY: key, CLAUDE_API_KEY: mint("key"), AI_GATEWAY_TOKEN: gateway };
  const ctx = context(secrets);
  value(await setProviderConfig(ctx, { provider: "jules", config: { api_endpoint: jules.url } }));
  value(await setProviderConfig(ctx, { provider: "ai-gateway", config: { api_endpoint: model.url } }));
  expect(await watchProviders(ctx, DRIVERS, clock())).toMatchObject({
    ok: ["claude", "jules"],
    unasked: ["ai-gateway"],
  });
  expect(await jules.requests(key)).toHaveLength(1);
  expect(await model.requests(gateway)).toEqual([]);

  const away = context({ ...secrets, JULES_API_KEY: mint("nobody") }, { ENGINE_URL: "http://127.0.0.1:1" });
  expect(await watchProviders(away, DRIVERS, clock())).toMatchObject({ failing: ["claude", "jules"] });
  expect(await statusesOf("jules")).toEqual(["provider.unavailable open 1"]);
  const told = JSON.stringify((await env.DB_OPS.prepare("SELECT * FROM alerts").all()).results);
  for (const secret of Object.values(secrets)) expect(told).not.toContain(secret);
  expect(await watchProviders(ctx, DRIVERS, clock())).toMatchObject({ ok: ["claude", "jules"] });
  expect(await statusesOf("jules")).toEqual(["provider.unavailable resolved 1"]);
});

test("the hour's line of the schedule is this one", async () => {
  const line = Object.values(SCHEDULE)
    .flat()
    .find(({ name }) => name === "providers");
  if (!line) throw new Error("there is no such line");
  await runSchedule(context({}), line, "2026-11-21T01:50:00.000Z");
  const row = await env.DB_LOGS.prepare(
    "SELECT outcome, message FROM scheduled_runs WHERE schedule = 'providers'",
  ).first();
  expect(row).toMatchObject({ outcome: "ok", message: expect.stringContaining('"off":["claude"') });
});
