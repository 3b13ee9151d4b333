import { CSRF_HEADER, type Scope, SessionSchema, type WhoAmI, WhoAmISchema } from "@shared/contracts";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { HUB_LIMITS } from "../../worker/durable-objects/event-hub/Subscriber.ts";
import { HubClient } from "../rpc/hubClient.ts";
import { answerOf, BOOTSTRAP, call, type CallInit, problemOf, tokenWith } from "./caller.ts";

/** A browser: it keeps the cookie it is given and sends what browsers send. */
class Browser {
  cookie: string | null = null;
  setCookie = "";
  readonly #origin: string;
  constructor(origin = "https://vibehq.test") {
    this.#origin = origin;
  }
  async call(path: string, init: CallInit = {}): Promise<Response> {
    const response = await call(path, {
      token: null,
      ...init,
      headers: {
        origin: this.#origin,
        "sec-fetch-site": "same-origin",
        [CSRF_HEADER]: "1",
        ...(this.cookie === null ? {} : { cookie: this.cookie }),
        ...init.headers,
      },
    });
    const set = response.headers.get("set-cookie");
    if (set !== null) {
      this.setCookie = set;
      const [pair = ""] = set.split(";");
      this.cookie = pair.endsWith("=") ? null : pair;
    }
    return response;
  }
  async signIn(token: string): Promise<void> {
    const response = await this.call("/api/auth/session", { body: { token } });
    if (response.status !== 201) throw new Error((await problemOf(response)).detail);
  }
  async who(): Promise<WhoAmI> {
    return z.object({ who: WhoAmISchema }).parse(await answerOf(await this.call("/api/auth/session"))).who;
  }
  async sessions() {
    return z
      .object({ sessions: z.array(SessionSchema) })
      .parse(await answerOf(await this.call("/api/auth/sessions?limit=500"))).sessions;
  }
  /** A socket, as this browser may open it. */
  async socket(room: string, protocols = "vibehq"): Promise<Response> {
    return this.call(`/ws?room=${room}`, { headers: { upgrade: "websocket", "sec-websocket-protocol": protocols } });
  }
}

async function signedIn(scopes: Scope[], more: Parameters<typeof tokenWith>[1] = {}) {
  const { token, id } = await tokenWith(scopes, more);
  const browser = new Browser();
  await browser.signIn(token);
  return { browser, token, tokenId: id };
}
const refusal = async (response: Response) => {
  const { code, detail } = await problemOf(response);
  return { status: response.status, code, detail };
};
const revokeToken = (id: string) => call(`/api/auth/tokens/${id}`, { method: "DELETE" });

describe("signing in", () => {
  test("trades a token for a cookie that scripts cannot read, other sites do not send and other hosts cannot set", async () => {
    const { browser, tokenId } = await signedIn(["orders:read"]);
    expect(browser.setCookie).toMatch(/^__Host-vibehq-local=[^;]+;/);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"]) {
      expect(browser.setCookie).toContain(attribute);
    }
    expect(await browser.who()).toMatchObject({
      actor: `token:${tokenId}`,
      via: "session",
      scopes: ["orders:read"],
      session: { current: true, revokedAt: null },
    });
    expect((await browser.call("/api/orders")).status).toBe(200);
    expect(await refusal(await browser.call("/api/projects"))).toMatchObject({ status: 403, code: "FORBIDDEN" });
  });

  test.each([
    ["http://127.0.0.1:8787", false],
    ["http://localhost:8787", false],
    ["http://[::1]:8787", false],
    ["http://127.0.0.1.evil.test", true],
    ["http://vibehq.test", true],
    ["https://localhost:8787", true],
  ])("at %s the cookie is Secure: %s", async (origin, secure) => {
    const response = await exports.default.fetch(
      new Request(`${origin}/api/auth/session`, {
        method: "POST",
        headers: { "content-type": "application/json", origin },
        body: JSON.stringify({ token: BOOTSTRAP }),
      }),
    );
    expect(response.status).toBe(201);
    expect(response.headers.get("set-cookie")?.includes("Secure")).toBe(secure);
    expect(response.headers.get("set-cookie")).toMatch(secure ? /^__Host-vibehq-local=/ : /^vibehq-local=/);
  });

  test("is refused without a token that stands, and sets no cookie", async () => {
    const { token, id } = await tokenWith(["orders:read"]);
    await revokeToken(id);
    for (const given of ["nonsense", token, `vhq_aaaaaaaaaaaa_${"b".repeat(43)}`]) {
      const response = await new Browser().call("/api/auth/session", { body: { token: given } });
      expect(response.headers.get("set-cookie")).toBeNull();
      expect(await refusal(response)).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
    }
    for (const body of [{}, { token: "" }, { token: 1 }, { token, more: 1 }, { token: "x".repeat(513) }]) {
      expect(await refusal(await new Browser().call("/api/auth/session", { body }))).toMatchObject({ status: 400 });
    }
  });

  test("a session lasts a week, or as long as its token if that is shorter", async () => {
    const week = Date.now() + 7 * 24 * 3600 * 1000;
    const { browser } = await signedIn(["orders:read"]);
    expect(Math.abs(Date.parse((await browser.who()).expiresAt ?? "") - week)).toBeLessThan(60_000);
    const { browser: brief } = await signedIn(["orders:read"], { expiresInSeconds: 60 });
    expect(Date.parse((await brief.who()).expiresAt ?? "")).toBeLessThan(Date.now() + 61_000);
  });

  test("a cookie that was not signed here, or for another instance, is nobody's, and is removed", async () => {
    const { browser } = await signedIn(["orders:read"]);
    const [name = "", value = ""] = browser.cookie?.split("=") ?? [];
    const [id = "", signature = ""] = value.split(".");
    const forged = [
      `${id}.${signature.slice(0, -2)}AA`,
      `${id}.`,
      id,
      `x${id}.${signature}`,
      "",
      ".",
      "%00.%00",
      "x".repeat(5000),
    ];
    for (const value of forged) {
      const response = await call("/api/auth/session", { token: null, headers: { cookie: `${name}=${value}` } });
      expect(response.headers.get("set-cookie")).toMatch(/Max-Age=0/);
      expect((await refusal(response)).status).toBe(401);
    }
    const other = await call("/api/auth/session", {
      token: null,
      headers: { cookie: `__Host-vibehq-other=${value}` },
    });
    expect(other.status).toBe(401);
  });

  test("a token in the header counts before the cookie, and a wrong one is refused whatever the cookie says", async () => {
    const { browser } = await signedIn(["orders:read"]);
    const { token, id } = await tokenWith(["projects:read"]);
    expect((await browser.call("/api/projects", { token })).status).toBe(200);
    expect((await browser.call("/api/orders", { token })).status).toBe(403);
    await revokeToken(id);
    expect((await browser.call("/api/orders", { token })).status).toBe(401);
    expect((await browser.call("/api/orders", { headers: { authorization: "Basic abc" } })).status).toBe(401);
    // The cookie was not what was refused.
    expect(browser.cookie).not.toBeNull();
    expect((await browser.call("/api/orders")).status).toBe(200);
  });

  test("a request without the cookie, as a page of another site makes it, does not sign the browser out", async () => {
    const response = await call("/api/orders", { token: null, headers: { cookie: "theme=dark" } });
    expect(response.status).toBe(401);
    expect(response.headers.get("set-cookie")).toBeNull();
  });
});

describe("a session ends", () => {
  test("when it is signed out: the cookie goes, and is good for nothing where it was kept", async () => {
    const { browser } = await signedIn(["orders:read"]);
    const kept = browser.cookie;
    expect((await browser.call("/api/auth/session", { method: "DELETE" })).status).toBe(200);
    expect(browser.cookie).toBeNull();
    browser.cookie = kept;
    expect(await refusal(await browser.call("/api/orders"))).toMatchObject({ status: 401 });
    expect(browser.cookie).toBeNull();
  });

  test("when its token is revoked, or its owner or an administrator ends it from elsewhere", async () => {
    const { browser, tokenId } = await signedIn(["orders:read"]);
    await revokeToken(tokenId);
    expect((await browser.call("/api/orders")).status).toBe(401);

    const { browser: first, token } = await signedIn(["orders:read"]);
    const second = new Browser();
    await second.signIn(token);
    const other = (await second.sessions()).find((session) => !session.current);
    expect((await second.call(`/api/auth/sessions/${other?.id}`, { method: "DELETE" })).status).toBe(200);
    expect((await first.call("/api/orders")).status).toBe(401);
    expect((await second.call("/api/orders")).status).toBe(200);

    const { id } = (await second.who()).session ?? {};
    expect((await call(`/api/auth/sessions/${id}`, { method: "DELETE" })).status).toBe(200);
    expect((await second.call("/api/orders")).status).toBe(401);
  });

  test("when the environment's own token is another than the one it was traded for", async () => {
    const browser = new Browser();
    await browser.signIn(BOOTSTRAP);
    const { id } = (await browser.who()).session ?? {};
    await env.DB_OPS.prepare("UPDATE sessions SET token_hash = ? WHERE id = ?").bind("00".repeat(32), id).run();
    const { authenticateSession } = await import("../../worker/services/auth/authenticateSession.ts");
    const { CredentialCache } = await import("../../worker/services/auth/CredentialCache.ts");
    const { admin } = await import("./caller.ts");
    const fresh = { ...admin(), background: () => undefined, sessions: new CredentialCache<never>() };
    expect(await authenticateSession(env, id ?? "", fresh)).toMatchObject({ error: { code: "UNAUTHENTICATED" } });
  });

  test("only for who may end it: another's is as good as none", async () => {
    const { browser: mine } = await signedIn(["orders:read"]);
    const { browser: other } = await signedIn(["orders:read", "tokens:write", "tokens:read"]);
    const { id } = (await mine.who()).session ?? {};
    expect(await refusal(await other.call(`/api/auth/sessions/${id}`, { method: "DELETE" }))).toMatchObject({
      status: 404,
    });
    expect((await other.sessions()).map((session) => session.id)).not.toContain(id);
    expect((await mine.sessions()).map((session) => session.id)).toEqual([id]);
    expect((await mine.call("/api/orders")).status).toBe(200);
    const all = z
      .object({ sessions: z.array(SessionSchema) })
      .parse(await answerOf(await call("/api/auth/sessions?limit=500"))).sessions;
    expect(all.map((session) => session.id)).toContain(id);
  });
});

describe("a page of another origin", () => {
  const order = { title: "An order", factory: "agent-factory" };
  test.each<[string, Record<string, string>]>([
    ["of another site", { origin: "https://evil.test", "sec-fetch-site": "cross-site" }],
    ["of another port of this host", { origin: "https://vibehq.test:8443", "sec-fetch-site": "same-site" }],
    ["that hides its origin", { origin: "null", "sec-fetch-site": "cross-site" }],
  ])("%s changes and reads nothing with somebody's cookie, nor signs them in or out", async (_, headers) => {
    const { browser, token } = await signedIn(["orders:write", "orders:read"]);
    expect(await refusal(await browser.call("/api/orders", { body: order, headers }))).toMatchObject({ status: 403 });
    expect(await refusal(await browser.call("/api/orders", { headers }))).toMatchObject({ status: 403 });
    const attempts: [string, CallInit][] = [
      ["/api/auth/session", { method: "DELETE", headers }],
      ["/api/auth/session", { body: { token }, headers }],
      ["/api/auth/ws-ticket", { method: "POST", headers }],
    ];
    for (const [path, init] of attempts) {
      expect(await refusal(await browser.call(path, init))).toMatchObject({ status: 403 });
    }
    expect((await browser.socket("all", "vibehq")).status).toBe(403);
    expect(browser.cookie).not.toBeNull();
    expect((await browser.call("/api/orders", { body: order })).status).toBe(201);
  });

  test("a form of our own, which cannot carry the header, changes nothing either", async () => {
    const { browser } = await signedIn(["orders:write"]);
    const response = await call("/api/orders", {
      body: order,
      token: null,
      headers: { origin: "https://vibehq.test", cookie: browser.cookie ?? "" },
    });
    const { status, detail } = await refusal(response);
    expect(status).toBe(403);
    expect(detail).toContain(CSRF_HEADER);
  });

  test("a link from elsewhere does not carry the session, whatever the browser's cookie rules", async () => {
    const { browser } = await signedIn(["orders:read"]);
    const link = { cookie: browser.cookie ?? "", "sec-fetch-site": "cross-site" };
    expect((await call("/api/orders", { token: null, headers: link })).status).toBe(403);
    expect((await call("/api/orders", { token: null, headers: { ...link, "sec-fetch-site": "none" } })).status).toBe(
      200,
    );
  });

  test("a GET that makes reports anew is a change, and wants the header too", async () => {
    const { browser } = await signedIn(["delivery:read", "delivery:write"]);
    const typed = { token: null, headers: { cookie: browser.cookie ?? "", "sec-fetch-site": "none" } };
    const refused = await refusal(await call("/api/delivery/reports?generate=true", typed));
    expect(refused.status).toBe(403);
    expect(refused.detail).toContain(CSRF_HEADER);
    expect((await call("/api/delivery/reports", typed)).status).toBe(200);
    expect((await browser.call("/api/delivery/reports?generate=true")).status).toBe(200);
  });

  test("who comes with a token needs none of this", async () => {
    const { token } = await tokenWith(["orders:write"]);
    const headers = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
    expect((await call("/api/orders", { body: order, token, headers })).status).toBe(201);
  });
});

describe("a socket", () => {
  const hubOf = (room: string) => env.EVENT_HUB.getByName(room);
  const join = async (response: Response): Promise<HubClient> => {
    if (response.webSocket === null) throw new Error((await problemOf(response)).detail);
    const client = new HubClient(response.webSocket);
    await client.until(() => client.frames.length > 0);
    return client;
  };
  const ticketFor = async (browser: Browser, body: object) => {
    const answer = await answerOf(await browser.call("/api/auth/ws-ticket", { body }));
    return z.object({ ticket: z.string(), room: z.string(), expiresAt: z.iso.datetime() }).parse(answer).ticket;
  };

  test("is opened by the cookie, from our own pages alone", async () => {
    const { browser } = await signedIn(["patches:read"]);
    await join(await browser.socket("project:cookie"));
    const { browser: other } = await signedIn(["orders:read"]);
    expect((await other.socket("project:cookie")).status).toBe(403);
    expect((await new Browser().socket("project:cookie")).status).toBe(401);
  });

  test("is opened by a ticket: once, in its room, soon, and with no more than its scopes", async () => {
    const { browser } = await signedIn(["patches:read", "requests:write"]);
    const anyone = new Browser();
    const ticket = await ticketFor(browser, { room: "project:ticket", scopes: ["patches:read"] });
    expect(await refusal(await anyone.socket("project:elsewhere", `vibehq, ticket.${ticket}`))).toMatchObject({
      status: 401,
    });
    const client = await join(await anyone.socket("project:ticket", `vibehq, ticket.${ticket}`));
    expect(client.connected.room).toBe("project:ticket");
    client.send({ type: "deploy", requestId: "r", orderId: "ORD-1" });
    expect(await client.answerTo("r")).toMatchObject({ code: "FORBIDDEN" });
    expect(await refusal(await anyone.socket("project:ticket", `vibehq, ticket.${ticket}`))).toMatchObject({
      status: 401,
    });
  });

  test("is not opened by a ticket that is forged or over, and a ticket opens nothing else", async () => {
    const { browser } = await signedIn(["patches:read", "orders:read"]);
    const anyone = new Browser();
    const ticket = await ticketFor(browser, { room: "project:t" });
    const [body = "", signature = ""] = ticket.split(".");
    const late = Buffer.from(JSON.stringify(["x", "project:t", Date.now() + 1e6])).toString("base64url");
    for (const forged of [`${late}.${signature}`, `${body}.${"A".repeat(43)}`, body, "", ".", "x.y"]) {
      expect((await anyone.socket("project:t", `vibehq, ticket.${forged}`)).status).toBe(401);
    }
    await runInDurableObject(hubOf("project:t"), (hub) => {
      hub.now = () => Date.now() + 31_000;
    });
    expect((await anyone.socket("project:t", `vibehq, ticket.${ticket}`)).status).toBe(401);
    const headers = { "sec-websocket-protocol": `vibehq, ticket.${await ticketFor(browser, { room: "all" })}` };
    expect((await anyone.call("/api/patches/logs", { headers })).status).toBe(401);
  });

  test("a ticket gives nobody what they have not", async () => {
    const { browser } = await signedIn(["patches:read"]);
    const ask = async (body: object) => (await browser.call("/api/auth/ws-ticket", { body })).status;
    expect(await ask({ room: "all", scopes: ["requests:write"] })).toBe(403);
    expect(await ask({ room: "all", scopes: ["admin"] })).toBe(400);
    expect(await ask({ room: "kitchen" })).toBe(400);
    expect(await ask({})).toBe(201);
    const { browser: confined } = await signedIn(["patches:read"], { workspaceId: "order:ORD-77" });
    expect((await confined.call("/api/auth/ws-ticket", { body: { room: "all" } })).status).toBe(403);
    expect((await confined.call("/api/auth/ws-ticket", { body: { room: "order:ORD-77" } })).status).toBe(201);
  });

  test("is closed with 4401 within half a minute of its session or token being revoked or over, however it came in", async () => {
    const room = "project:revoked";
    const stays = await signedIn(["patches:read"]);
    const signsOut = await signedIn(["patches:read"]);
    const loses = await signedIn(["patches:read"]);
    const bearer = await tokenWith(["patches:read"]);
    const brief = await tokenWith(["patches:read"], { expiresInSeconds: 20 });
    const offered = (token: string) => new Browser().socket(room, `vibehq, bearer.${token}`);
    const clients = {
      stays: await join(await stays.browser.socket(room)),
      signedOut: await join(await signsOut.browser.socket(room)),
      byTicket: await join(
        await new Browser().socket(room, `vibehq, ticket.${await ticketFor(signsOut.browser, { room })}`),
      ),
      lostItsToken: await join(await loses.browser.socket(room)),
      bearer: await join(await offered(bearer.token)),
      over: await join(await offered(brief.token)),
      bootstrap: await join(await offered(BOOTSTRAP)),
    };
    await signsOut.browser.call("/api/auth/session", { method: "DELETE" });
    await revokeToken(loses.tokenId);
    await revokeToken(bearer.id);

    await runInDurableObject(hubOf(room), (hub) => {
      hub.now = () => Date.now() + HUB_LIMITS.reviewMs;
    });
    // The alarm is set while anyone is here; the test does not wait for it.
    expect(await runDurableObjectAlarm(hubOf(room))).toBe(true);
    for (const name of ["signedOut", "byTicket", "lostItsToken", "bearer", "over"] as const) {
      await clients[name].until(() => clients[name].closed !== null);
      expect(clients[name].closed?.code).toBe(4401);
    }
    for (const name of ["stays", "bootstrap"] as const) {
      clients[name].send("ping");
      await clients[name].until(() => clients[name].frames.at(-1)?.type === "pong");
      expect(clients[name].closed).toBeNull();
    }
    const due = await runInDurableObject(hubOf(room), (_, state) => state.storage.getAlarm());
    expect(due).toBeLessThanOrEqual(Date.now() + 2 * HUB_LIMITS.reviewMs);
  });
});
