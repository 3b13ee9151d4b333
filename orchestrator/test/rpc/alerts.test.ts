import { type Alert, AlertSchema, type RaiseAlertInput } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { describe, expect, inject, test } from "vitest";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import { createWebhook } from "../../worker/services/alerts/createWebhook.ts";
import { changeWebhook } from "../../worker/services/alerts/changeWebhook.ts";
import { deleteWebhook } from "../../worker/services/alerts/deleteWebhook.ts";
import { deliverAlert, DISABLE_AFTER_MS, RETRY_SECONDS } from "../../worker/services/alerts/deliverAlert.ts";
import { deliverAlerts } from "../../worker/services/alerts/deliverAlerts.ts";
import { listDeliveries } from "../../worker/services/alerts/listDeliveries.ts";
import { raiseAlert } from "../../worker/services/alerts/raiseAlert.ts";
import { resendDelivery } from "../../worker/services/alerts/resendDelivery.ts";
import { resolveAlert } from "../../worker/services/alerts/resolveAlert.ts";
import { OVERLAP_MS, rotateSecret } from "../../worker/services/alerts/rotateSecret.ts";
import { sweepAlerts } from "../../worker/services/alerts/sweepAlerts.ts";
import { getWebhook } from "../../worker/services/alerts/listWebhooks.ts";
import { testWebhook } from "../../worker/services/alerts/testWebhook.ts";
import { checkWebhookUrl } from "../../worker/services/alerts/webhookUrl.ts";
import { signedHeaders } from "../../worker/services/alerts/webhookSecret.ts";
import { actor, HubClient, record } from "./hubClient.ts";

const receiver = inject("receiver").url;
const START = Date.parse("2026-11-21T02:00:00.000Z");

/** A context whose clock stands where the test puts it, and which has no queue: the test says when a delivery is attempted. */
function at(ms = 0, over: Partial<Env> = {}): ServiceContext {
  const own = { ...env, ALERTS_QUEUE: undefined, ...over } as unknown as Env;
  return createContext(own, { actor: systemActor("test"), now: () => new Date(START + ms) });
}
let causes = 0;
const cause = (): RaiseAlertInput => ({
  kind: "health.down",
  severity: "critical",
  title: "ui-factory is down",
  text: "three checks failed",
  dedupeKey: `test:${(causes += 1)}`,
  worker: "ui-factory",
});

async function webhook(path: string, more: object = {}) {
  const made = await createWebhook(at(), { name: path, url: `${receiver}${path}`, ...more });
  if (!made.ok) throw new Error(made.error.message);
  return { ...made, id: made.webhook.id };
}
async function deliveriesOf(id: string) {
  const listed = await listDeliveries(at(), { id }, { limit: 50 });
  if (!listed.ok) throw new Error(listed.error.message);
  return listed.deliveries;
}
async function raised(input: RaiseAlertInput, ms = 0): Promise<{ alert: Alert; told: boolean }> {
  const answer = await raiseAlert(at(ms), input);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer;
}
const received = async (name: string) => {
  const response = await fetch(`${receiver}/received/${name}`);
  return response.json<{ id: string; body: string; timestamp: string; signatures: string[]; path: string }[]>();
};
const signedBy = async (name: string, secret: string) => {
  const response = await fetch(`${receiver}/verify/${name}?secret=${encodeURIComponent(secret)}`);
  return response.json<string[]>();
};
const stateOf = async (id: string) => {
  const found = await getWebhook(at(), { id });
  if (!found.ok) throw new Error(found.error.message);
  return found.webhook;
};

test("signatures are those of Standard Webhooks: its own example", () => {
  const headers = signedHeaders(
    { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1614265330, body: '{"test": 2432232314}' },
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  );
  expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

describe("an alert", () => {
  test("is told once a cause, by exactly one of a hundred calls at once, and counted", async () => {
    const input = cause();
    const hook = await webhook("/ok/once");
    const answers = await Promise.all(Array.from({ length: 100 }, () => raised(input)));
    expect(answers.filter(({ told }) => told)).toHaveLength(1);
    expect(new Set(answers.map(({ alert }) => alert.id)).size).toBe(1);
    expect((await raised(input)).alert).toMatchObject({ count: 101, told: 1 });
    expect(await deliveriesOf(hook.id)).toHaveLength(1);
    await deleteWebhook(at(), { id: hook.id });
  });

  test("is told again after its cool-down, or at once where it is more severe; once it is resolved, the cause raises a new one", async () => {
    const input: RaiseAlertInput = { ...cause(), severity: "warning", coolDownMs: 60_000 };
    const first = await raised(input);
    expect((await raised(input, 59_000)).told).toBe(false);
    expect(await raised({ ...input, severity: "critical" }, 59_500)).toMatchObject({
      told: true,
      alert: { told: 2, id: first.alert.id },
    });
    expect((await raised({ ...input, severity: "critical" }, 100_000)).told).toBe(false);
    expect((await raised({ ...input, severity: "critical" }, 119_600)).told).toBe(true);
    expect(await resolveAlert(at(), { dedupeKey: input.dedupeKey })).toMatchObject({ alert: { status: "resolved" } });
    const next = await raised(input, 120_000);
    expect(next.told).toBe(true);
    expect(next.alert.id).not.toBe(first.alert.id);
  });

  test("holds no secret, whatever it was raised with", async () => {
    const { alert } = await raised({
      ...cause(),
      title: `key ${env.SESSION_SECRET}`,
      text: `Bearer ${"a".repeat(20)}`,
      data: { token: "abcdefgh12345", log: env.ENGINE_TOKEN },
    });
    const stored = JSON.stringify(alert);
    for (const value of [env.SESSION_SECRET, env.ENGINE_TOKEN, "a".repeat(20), "abcdefgh12345"])
      expect(stored).not.toContain(value);
  });

  test("is a message of the room all, in its place and stored: who comes later gets it too; who may not see alerts does not", async () => {
    const reader = actor(["patches:read", "alerts:read"]);
    const live = await HubClient.open("room=all", reader);
    const blind = await HubClient.open("room=all", actor(["patches:read"]));
    const from = live.position;
    const { alert } = await raised(cause());
    const isAlert = ({ type }: { type: string }) => type === "alert";
    await live.until(() => live.events.some(isAlert));
    const message = live.events.find(isAlert);
    expect(AlertSchema.parse(message?.payload)).toMatchObject({ id: alert.id, told: 1 });
    const again = await HubClient.open(`room=all&${from}`, reader);
    await again.until(() => again.events.length > 0);
    expect(again.events[0]?.offset).toBe(message?.offset);
    // Who may not see it is told of no gap either: the next message says what came before it.
    await env.EVENT_HUB.getByName("all").deliver({ source: "after", records: [record(1, { workspace_id: "after" })] });
    await blind.until(() => blind.events.length > 0);
    expect(blind.events).toMatchObject([{ type: "patch_applied", prev: blind.connected.offset }]);
    // Known by its id: told again to the hub, nothing comes of it.
    expect(
      await env.EVENT_HUB.getByName("all").announce({ id: `msg_${alert.id.replaceAll("-", "")}_1`, alert }),
    ).toEqual({ appended: false });
    for (const each of [live, blind, again]) each.close();
  });

  test("that a crash kept from the hub and from its webhooks is sent by the sweep, once", async () => {
    const hook = await webhook("/ok/crashed");
    const dead = {
      EVENT_HUB: {
        getByName: () => {
          throw new Error("killed here");
        },
      },
    } as unknown as Partial<Env>;
    const answer = await raiseAlert(at(0, dead), cause());
    expect(answer).toMatchObject({ ok: true, told: true });
    expect(await received("crashed")).toEqual([]);
    expect(await sweepAlerts(at(31_000))).toMatchObject({ announced: 1 });
    expect(await sweepAlerts(at(32_000))).toMatchObject({ announced: 0 });
    expect(await received("crashed")).toHaveLength(1);
    await deleteWebhook(at(), { id: hook.id });
  });

  test("that cannot be stored is said to be so, and breaks nothing", async () => {
    const away = {
      DB_OPS: {
        prepare: () => {
          throw new Error("D1_ERROR: away");
        },
      },
    } as unknown as Partial<Env>;
    expect(await raiseAlert(at(0, away), cause())).toMatchObject({
      ok: false,
      error: { code: "DATABASE_UNAVAILABLE" },
    });
  });
});

describe("rules", () => {
  test("a webhook is sent the kinds it names, families too, and nothing less severe than it asks for", async () => {
    const hooks = {
      all: await webhook("/ok/r1"),
      health: await webhook("/ok/r2", { kinds: ["health.*"] }),
      filed: await webhook("/ok/r3", { kinds: ["ops.issue.filed", "schedule.*"] }),
      critical: await webhook("/ok/r4", { minSeverity: "critical" }),
      off: await webhook("/ok/r5"),
    };
    await changeWebhook(at(), { id: hooks.off.id }, { enabled: false });
    await raised({ ...cause(), kind: "health.flapping", severity: "warning" });
    await raised({ ...cause(), kind: "ops.issue.filed", severity: "info" });
    await raised({ ...cause(), kind: "schedule.stuck", severity: "critical" });
    const kinds = async (hook: { id: string }) => (await deliveriesOf(hook.id)).map(({ kind }) => kind).toSorted();
    expect(await kinds(hooks.all)).toEqual(["health.flapping", "ops.issue.filed", "schedule.stuck"]);
    expect(await kinds(hooks.health)).toEqual(["health.flapping"]);
    expect(await kinds(hooks.filed)).toEqual(["ops.issue.filed", "schedule.stuck"]);
    expect(await kinds(hooks.critical)).toEqual(["schedule.stuck"]);
    expect(await kinds(hooks.off)).toEqual([]);
    expect(await createWebhook(at(), { name: "x", url: `${receiver}/x`, kinds: ["health.nothing"] })).toMatchObject({
      error: { code: "VALIDATION_FAILED" },
    });
    for (const { id } of Object.values(hooks)) await deleteWebhook(at(), { id });
  });
});

describe("a delivery", () => {
  const one = async (path: string) => {
    const hook = await webhook(path);
    await raised(cause());
    const [delivery] = await deliveriesOf(hook.id);
    if (!delivery) throw new Error("nothing to deliver");
    return { hook, id: delivery.id, messageId: delivery.message_id };
  };

  test("arrives signed, with the alert as it was told; the secret was shown once and stands nowhere in the clear", async () => {
    const { hook, id, messageId } = await one("/ok/signed");
    expect(hook.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await deliverAlert(at(), id)).toEqual({ againInMs: null });
    const [message] = await received("signed");
    expect(message?.id).toBe(messageId);
    expect(message?.timestamp).toBe(String(START / 1000));
    expect(JSON.parse(message?.body ?? "")).toMatchObject({
      type: "health.down",
      timestamp: "2026-11-21T02:00:00.000Z",
      data: { title: "ui-factory is down", severity: "critical", worker: "ui-factory", data: {} },
    });
    expect(await signedBy("signed", hook.secret)).toEqual([messageId]);
    expect(await signedBy("signed", (await webhook("/ok/other")).secret)).toEqual([]);
    const row = await env.DB_OPS.prepare("SELECT * FROM alert_webhooks WHERE id = ?").bind(hook.id).first();
    expect(JSON.stringify([row, await stateOf(hook.id)])).not.toContain(hook.secret.slice(6, 20));
    expect(await deliveriesOf(hook.id)).toMatchObject([{ status: "delivered", attempts: 1, response_status: 200 }]);
  });

  test("once delivered is not sent again, by a message twice, by two consumers at once or by the sweep; sent again when asked to, under the same id", async () => {
    const { hook, id, messageId } = await one("/ok/twice");
    await Promise.all([deliverAlert(at(), id), deliverAlert(at(), id), deliverAlert(at(), id)]);
    await deliverAlert(at(), id);
    await sweepAlerts(at(10_000));
    expect(await received("twice")).toHaveLength(1);
    expect(await resendDelivery(at(), { id })).toMatchObject({ delivery: { status: "pending", attempts: 0 } });
    await deliverAlert(at(1_000), id);
    expect((await received("twice")).map((each) => each.id)).toEqual([messageId, messageId]);
    await deleteWebhook(at(), { id: hook.id });
    expect(await resendDelivery(at(), { id })).toMatchObject({ error: { code: "NOT_FOUND" } });
  });

  test("whose sender died with it in hand is taken up again when its lease is over", async () => {
    const { id } = await one("/ok/leased");
    await env.DB_OPS.prepare("UPDATE alert_deliveries SET attempts = 1, leased_until = ? WHERE id = ?")
      .bind(new Date(START + 60_000).toISOString(), id)
      .run();
    expect((await deliverAlert(at(1_000), id)).againInMs).toBe(59_000);
    expect(await received("leased")).toEqual([]);
    await deliverAlert(at(60_001), id);
    expect(await received("leased")).toHaveLength(1);
  });

  test.each([
    ["/fail/failing", "it answered 500", 500],
    ["/redirect/led-on", "it redirects, which is not followed", 307],
    ["/hang/hanging", "it did not answer within 0.3 s", null],
  ] as const)(
    "to %s is tried again on the recommended schedule, and the answer's text is kept nowhere",
    async (path, error, status) => {
      const { hook, id } = await one(path);
      let now = 0;
      for (const [attempt, seconds] of RETRY_SECONDS.entries()) {
        // Days of failure disable it; here they are over before that.
        await env.DB_OPS.prepare("UPDATE alert_webhooks SET failing_since = NULL WHERE id = ?").bind(hook.id).run();
        const { againInMs } = await deliverAlert(at(now), id, { timeoutMs: 300 });
        expect(againInMs).toBeGreaterThanOrEqual(seconds * 1000);
        expect(againInMs).toBeLessThanOrEqual(seconds * 1100);
        expect(await deliveriesOf(hook.id)).toMatchObject([
          { status: "pending", attempts: attempt + 1, error, response_status: status },
        ]);
        // Not a moment sooner.
        expect((await deliverAlert(at(now + seconds * 900), id)).againInMs).toBeGreaterThan(0);
        now += againInMs ?? 0;
        if (attempt === 2 && path !== "/fail/failing") break;
      }
      const name = path.split("/").at(-1) ?? "";
      if (path === "/fail/failing") {
        await env.DB_OPS.prepare("UPDATE alert_webhooks SET failing_since = NULL WHERE id = ?").bind(hook.id).run();
        expect(await deliverAlert(at(now), id)).toEqual({ againInMs: null });
        expect(await deliveriesOf(hook.id)).toMatchObject([
          { status: "failed", attempts: RETRY_SECONDS.length + 1, next_attempt_at: null },
        ]);
        const ids = new Set((await received(name)).map((each) => each.id));
        expect(ids.size).toBe(1);
      }
      const stored = await env.DB_OPS.prepare("SELECT * FROM alert_deliveries WHERE id = ?").bind(id).first();
      expect(JSON.stringify(stored)).not.toContain("secret words");
      expect((await received(name)).filter(({ path: where }) => where.startsWith("/ok/"))).toEqual([]);
      await deleteWebhook(at(), { id: hook.id });
    },
  );

  test("waits as long as its receiver asks for, and no longer than a day", async () => {
    const { hook, id } = await one("/slow/paused");
    expect(await deliverAlert(at(), id)).toEqual({ againInMs: 900_000 });
    await deleteWebhook(at(), { id: hook.id });
  });

  test("of a queue's message: done with, or held back until it is due; one that waits longer than a queue can is the sweep's", async () => {
    const { hook, id } = await one("/fail/queued");
    const said: string[] = [];
    const message = (body: unknown) => ({
      body,
      ack: () => said.push("ack"),
      retry: (options?: { delaySeconds?: number }) => said.push(`retry ${options?.delaySeconds}`),
    });
    await deliverAlerts(at(), [message({ deliveryId: id })]);
    expect(said).toEqual([expect.stringMatching(/^retry [56]$/)]);
    said.length = 0;
    await deliverAlerts(at(), [message({ tea: true }), message({ deliveryId: "unknown" })]);
    expect(said).toEqual(["ack", "ack"]);
    said.length = 0;
    await env.DB_OPS.prepare("UPDATE alert_deliveries SET attempts = 7, next_attempt_at = ? WHERE id = ?")
      .bind(new Date(START).toISOString(), id)
      .run();
    await deliverAlerts(at(), [message({ deliveryId: id })]);
    expect(said).toEqual(["ack"]);
    await deleteWebhook(at(), { id: hook.id });
  });

  test("goes by the real queue, where there is one", async () => {
    const hook = await webhook("/ok/by-queue");
    const ctx = createContext(env, { actor: systemActor("test") });
    await raiseAlert(ctx, cause());
    await expect.poll(() => received("by-queue").then(({ length }) => length), { timeout: 20_000 }).toBe(1);
    await deleteWebhook(at(), { id: hook.id });
  });
});

describe("a webhook", () => {
  test("of which every attempt has failed for days is disabled, once, and the others are told; enabled again it works again", async () => {
    const watcher = await webhook("/ok/watching", { kinds: ["webhook.*"] });
    const hook = await webhook("/fail/dying");
    await raised(cause());
    const [delivery] = await deliveriesOf(hook.id);
    await deliverAlert(at(), delivery?.id ?? "");
    expect(await stateOf(hook.id)).toMatchObject({ enabled: true, failing_since: "2026-11-21T02:00:00.000Z" });
    await raised(cause(), DISABLE_AFTER_MS);
    const due = (await deliveriesOf(hook.id)).map(({ id }) => id);
    expect(due).toHaveLength(2);
    await Promise.all(due.map((id) => deliverAlert(at(DISABLE_AFTER_MS), id)));
    expect(await stateOf(hook.id)).toMatchObject({
      enabled: false,
      disabled_reason: expect.stringContaining("it answered 500"),
    });
    expect(new Set((await deliveriesOf(hook.id)).map(({ status }) => status))).toEqual(new Set(["cancelled"]));
    expect((await deliveriesOf(watcher.id)).map(({ kind }) => kind)).toEqual(["webhook.disabled"]);
    await raised(cause(), DISABLE_AFTER_MS);
    expect(await deliveriesOf(hook.id)).toHaveLength(2);
    await changeWebhook(at(), { id: hook.id }, { enabled: true, url: `${receiver}/ok/reborn` });
    expect(await stateOf(hook.id)).toMatchObject({ enabled: true, failing_since: null, disabled_reason: null });
    for (const { id } of [hook, watcher]) await deleteWebhook(at(), { id });
  });

  test("whose receiver is gone (410) is disabled at once; one success ends a time of failures", async () => {
    const gone = await webhook("/status/410/gone");
    const mending = await webhook("/ok/mending");
    await env.DB_OPS.prepare("UPDATE alert_webhooks SET failing_since = ? WHERE id = ?")
      .bind(new Date(START - 86_400_000).toISOString(), mending.id)
      .run();
    await raised(cause());
    for (const hook of [gone, mending]) await deliverAlert(at(), (await deliveriesOf(hook.id))[0]?.id ?? "");
    expect(await stateOf(gone.id)).toMatchObject({ enabled: false });
    expect(await stateOf(mending.id)).toMatchObject({ enabled: true, failing_since: null });
    for (const { id } of [gone, mending]) await deleteWebhook(at(), { id });
  });

  test("rotated signs with both secrets for a day, then with the new one alone; of two rotations at once one wins", async () => {
    const hook = await webhook("/ok/rotated");
    const answers = await Promise.all([rotateSecret(at(), { id: hook.id }), rotateSecret(at(), { id: hook.id })]);
    const won = answers.filter((answer) => answer.ok);
    expect(won).toHaveLength(1);
    const next = won[0]?.ok ? won[0].secret : "";
    await raised(cause());
    await deliverAlert(at(1_000), (await deliveriesOf(hook.id))[0]?.id ?? "");
    expect(await signedBy("rotated", hook.secret)).toHaveLength(1);
    expect(await signedBy("rotated", next)).toHaveLength(1);
    await raised(cause(), OVERLAP_MS + 1);
    await deliverAlert(at(OVERLAP_MS + 2), (await deliveriesOf(hook.id))[0]?.id ?? "");
    expect(await signedBy("rotated", hook.secret)).toHaveLength(1);
    expect(await signedBy("rotated", next)).toHaveLength(2);
    await deleteWebhook(at(), { id: hook.id });
  });

  test("whose secret this instance cannot read says so, and sends nothing unsigned", async () => {
    const hook = await webhook("/ok/unsealed");
    await raised(cause());
    const [delivery] = await deliveriesOf(hook.id);
    await deliverAlert(at(0, { SESSION_SECRET: "another-secret-of-the-tests" }), delivery?.id ?? "");
    expect(await received("unsealed")).toEqual([]);
    expect(await deliveriesOf(hook.id)).toMatchObject([{ error: expect.stringContaining("rotate it") }]);
    await deleteWebhook(at(), { id: hook.id });
  });

  test("is sent a test message also where it is disabled; that it fails counts for nothing", async () => {
    const hook = await webhook("/fail/tested");
    await changeWebhook(at(), { id: hook.id }, { enabled: false });
    const tested = await testWebhook(at(), { id: hook.id });
    await deliverAlert(at(), tested.ok ? tested.delivery.id : "");
    expect(await received("tested")).toHaveLength(1);
    expect(await deliveriesOf(hook.id)).toMatchObject([{ kind: "alert.test", status: "failed", attempts: 1 }]);
    expect(await stateOf(hook.id)).toMatchObject({ failing_since: null });
    await deleteWebhook(at(), { id: hook.id });
  });
});

describe("an address", () => {
  const deployed = { INSTANCE: "production" };
  const local = { INSTANCE: "port-8787" };
  const refused = [
    "http://example.com/",
    "ftp://example.com/",
    "https://user:pass@example.com/",
    "https://localhost/",
    "https://a.localhost/",
    "https://localhost./",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://10.1.2.3/",
    "https://172.31.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://100.100.100.100/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://[ff02::1]/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://router.lan/",
    "https://intranet/",
    "https://x.home.arpa/",
    "https://１２７.0.0.1/",
    "javascript:alert(1)",
    "nothing",
    "https://",
  ];
  test.each(refused)("%s is none of the public internet", (address) => {
    expect(checkWebhookUrl(deployed, address)).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED" } });
  });
  test.each([
    "https://example.com/hook?x=1",
    "https://hooks.example.com:8443/a",
    "https://8.8.8.8/",
    "https://172.32.0.1/",
    "https://[2606:4700::1111]/",
  ])("%s is one", (address) => {
    expect(checkWebhookUrl(deployed, address)).toMatchObject({ ok: true });
  });
  test("of this machine is taken by a local instance alone; other inside addresses by none", () => {
    for (const address of ["http://127.0.0.1:4000/x", "http://localhost:4000/", "http://[::1]:4000/"]) {
      expect(checkWebhookUrl(local, address).ok).toBe(true);
      expect(checkWebhookUrl(deployed, address).ok).toBe(false);
    }
    for (const address of ["http://10.0.0.1/", "https://192.168.0.1/", "http://example.com/"])
      expect(checkWebhookUrl(local, address).ok).toBe(false);
  });
  test("is looked at again before each attempt", async () => {
    const hook = await webhook("/ok/moved");
    await raised(cause());
    const [delivery] = await deliveriesOf(hook.id);
    await deliverAlert(at(0, { INSTANCE: "production" }), delivery?.id ?? "");
    expect(await received("moved")).toEqual([]);
    expect(await deliveriesOf(hook.id)).toMatchObject([{ status: "pending", error: expect.stringContaining("https") }]);
    await deleteWebhook(at(), { id: hook.id });
  });
});
