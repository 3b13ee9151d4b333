import { CSRF_HEADER, type Scope, SCOPES } from "@shared/contracts";
import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { openapiDocument } from "../../worker/api/openapi.ts";
import { app } from "../../worker/app.ts";
import { BOOTSTRAP, call, problemOf, tokenWith } from "./caller.ts";

/** Every route and what a token must hold for it. A route without a row here fails the test below. */
const ROWS: Record<string, Scope | "signed-in" | "public" | "signed" | "bearer"> = {
  "POST /api/workspaces": "workspaces:write",
  "GET /api/workspaces/{workspaceId}": "workspaces:read",
  "GET /api/workspaces/{workspaceId}/files/{file}": "workspaces:read",
  "POST /api/patches/apply": "patches:write",
  "POST /api/patches/simulate": "patches:read",
  "POST /api/patches/validate": "patches:write",
  "POST /api/patches/revert": "patches:revert",
  "POST /api/patches/events": "events:write",
  "GET /api/patches/logs": "patches:read",
  "GET /api/patches/stats": "patches:read",
  "GET /api/patches/trends": "patches:read",
  "GET /api/analytics/logs": "patches:read",
  "GET /api/analytics/stats": "patches:read",
  "GET /api/analytics/trends": "patches:read",
  "POST /api/analytics/rebuild": "admin",
  "GET /api/logs": "logs:read",
  "POST /api/logs": "logs:write",
  "GET /api/schedules": "logs:read",
  "GET /api/alerts": "alerts:read",
  "POST /api/alerts/{id}/resolve": "alerts:write",
  "POST /api/alerts/webhooks": "alerts:write",
  "GET /api/alerts/webhooks": "alerts:read",
  "GET /api/alerts/webhooks/{id}": "alerts:read",
  "PATCH /api/alerts/webhooks/{id}": "alerts:write",
  "DELETE /api/alerts/webhooks/{id}": "alerts:write",
  "POST /api/alerts/webhooks/{id}/rotate": "alerts:write",
  "POST /api/alerts/webhooks/{id}/test": "alerts:write",
  "GET /api/alerts/webhooks/{id}/deliveries": "alerts:read",
  "POST /api/alerts/deliveries/{id}/resend": "alerts:write",
  "GET /api/telemetry/pipeline": "patches:read",
  "GET /api/telemetry/agents": "patches:read",
  "GET /api/telemetry/ops": "patches:read",
  "GET /api/telemetry/hil": "patches:read",
  "GET /api/patches/verify": "patches:read",
  "GET /api/patches/custody": "patches:read",
  "GET /api/patches/{patchId}": "patches:read",
  "GET /api/patches/{patchId}/diff": "patches:read",
  "GET /api/ai/providers": "ai:read",
  "GET /api/ai/providers/{name}": "ai:read",
  "POST /api/ai/providers/{name}/probe": "ai:write",
  "PUT /api/ai/providers/{name}/config": "admin",
  "POST /api/ai/assign": "ai:write",
  "GET /api/ai/assign/explain": "ai:read",
  "PUT /api/orders/{orderId}/routing": "orders:write",
  "PUT /api/projects/{projectId}/routing": "projects:write",
  "POST /api/orders": "orders:write",
  "GET /api/orders": "orders:read",
  "GET /api/orders/{orderId}": "orders:read",
  "PATCH /api/orders/{orderId}": "orders:write",
  "GET /api/orders/{orderId}/phases": "orders:read",
  "POST /api/orders/{orderId}/phases": "orders:write",
  "GET /api/orders/{orderId}/replay": "workspaces:read",
  "GET /api/orders/{orderId}/replay/{seq}/tree": "workspaces:read",
  "GET /api/orders/{orderId}/replay/{seq}/files/{file}": "workspaces:read",
  "GET /api/orders/{orderId}/pull-requests": "orders:read",
  "POST /api/orders/{orderId}/branch": "orders:write",
  "POST /api/orders/{orderId}/pull-request": "orders:write",
  "GET /api/github/issues": "github:read",
  "GET /api/github/prs": "github:read",
  "GET /api/delivery/reports": "delivery:read",
  "POST /api/delivery/reports": "delivery:write",
  "POST /api/projects": "projects:write",
  "GET /api/projects": "projects:read",
  "GET /api/projects/{projectId}": "projects:read",
  "POST /api/tasks": "tasks:write",
  "GET /api/tasks": "tasks:read",
  "GET /api/tasks/{taskId}": "tasks:read",
  "PATCH /api/tasks/{taskId}": "tasks:write",
  "POST /api/ai/execute": "ai:write",
  "POST /api/ai/executions/{executionId}/cancel": "ai:write",
  "POST /api/ai/executions/{executionId}/retry": "ai:write",
  "GET /api/ai/executions": "ai:read",
  "GET /api/ai/executions/{executionId}": "ai:read",
  "GET /api/ai/executions/{executionId}/output": "ai:read",
  "POST /api/ai/clarify": "ai:write",
  "GET /api/ai/dead-letters": "ai:read",
  "POST /api/ai/dead-letters/{id}/redrive": "ai:write",
  "POST /api/ai/dead-letters/{id}/discard": "ai:write",
  "POST /api/ops/scan": "ops:write",
  "GET /api/ops/scan": "ops:read",
  "GET /api/ops/scans": "ops:read",
  "GET /api/ops/issues": "ops:read",
  "GET /api/ops/issues/{id}": "ops:read",
  "POST /api/ops/issues/{id}/claim": "ops:write",
  "POST /api/ops/issues/{id}/work": "ops:write",
  "GET /api/ops/summary": "ops:read",
  "GET /api/hil": "hil:read",
  "GET /api/hil/{id}": "hil:read",
  "POST /api/hil/{id}/response": "hil:write",
  "POST /api/auth/session": "public",
  "GET /api/auth/session": "signed-in",
  "DELETE /api/auth/session": "signed-in",
  "POST /api/auth/ws-ticket": "patches:read",
  "GET /api/auth/sessions": "signed-in",
  "DELETE /api/auth/sessions/{id}": "signed-in",
  "POST /api/auth/tokens": "tokens:write",
  "GET /api/auth/tokens": "tokens:read",
  "DELETE /api/auth/tokens/{id}": "tokens:write",
  "POST /api/webhooks/jules": "public",
  "POST /api/webhooks/github": "public",
  "POST /mcp": "bearer",
  "GET /api/health": "public",
  "GET /api/deployment": "admin",
  "POST /api/health/checks": "health:write",
  "GET /api/health/checks": "health:read",
  "GET /api/health/checks/{uuid}": "health:read",
  "GET /api/health/workers": "health:read",
  "GET /api/health/workers/{worker}/latest": "health:read",
  "GET /api/health/summary": "health:read",
  "POST /api/health/heartbeats": "events:write",
  "GET /api/health/schedules": "health:read",
  "POST /api/health/schedules": "health:write",
  "PATCH /api/health/schedules/{id}": "health:write",
  "DELETE /api/health/schedules/{id}": "health:write",
  "POST /health-check/execute": "signed",
  "GET /health-check/status": "signed",
  "GET /health-check/quick": "signed",
  "GET /health-check/result": "signed",
  "POST /health-check/result": "signed",
  "GET /ws": "patches:read",
};
/** Served beside the document, which does not describe itself. */
const DOCUMENT_ROUTES = ["GET /api/openapi.json", "GET /api/docs"];

const paths = z
  .looseObject({ paths: z.record(z.string(), z.record(z.string(), z.looseObject({ "x-scope": z.string() }))) })
  .parse(openapiDocument(app)).paths;
const documented = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    scope: operation["x-scope"],
  })),
);
const braces = (path: string) => path.replaceAll(/:(\w+)(?:\{\.\+\})?/g, "{$1}");

test("every route the app serves is in its document, and has a row here with the scope it asks for", () => {
  const served = app.routes
    .filter((route) => route.method !== "ALL")
    .map((route) => `${route.method} ${braces(route.path)}`)
    .filter((name) => !DOCUMENT_ROUTES.includes(name));
  expect(new Set(served)).toEqual(new Set(documented.map((route) => route.name)));
  expect(Object.fromEntries(documented.map((route) => [route.name, route.scope]))).toEqual(ROWS);
});

const guarded = Object.entries(ROWS).flatMap(([name, scope]) => {
  const [method = "", path = ""] = name.split(" ");
  return scope === "public" || scope === "signed" || scope === "bearer"
    ? []
    : [{ name, method, path: path.replaceAll(/\{\w+\}/g, "nothing-here"), scope }];
});

/** The headers of somebody who is signed in with a token of these scopes. */
async function cookieWith(scopes: readonly Scope[]): Promise<Record<string, string>> {
  const { token } = await tokenWith(scopes);
  const response = await call("/api/auth/session", { token: null, body: { token } });
  return { cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "", origin: "https://vibehq.test" };
}
async function endedToken(scopes: readonly Scope[]): Promise<string> {
  const { token, id } = await tokenWith(scopes);
  await call(`/api/auth/tokens/${id}`, { method: "DELETE" });
  return token;
}

type Role = (scopes: Scope[]) => Promise<{ token: string | null; headers?: Record<string, string> }>;
/** Who may come, given what a route asks for; and with what they leave: in, or refused by this status. */
const ROLES: Record<string, { who: Role; gets: (route: { method: string; scope: string }) => "in" | 401 | 403 }> = {
  nobody: { who: async () => ({ token: null }), gets: () => 401 },
  "an unknown token": { who: async () => ({ token: `vhq_aaaaaaaaaaaa_${"b".repeat(43)}` }), gets: () => 401 },
  nonsense: { who: async () => ({ token: "nonsense" }), gets: () => 401 },
  "a revoked token of its scope": { who: async (scopes) => ({ token: await endedToken(scopes) }), gets: () => 401 },
  "a forged cookie": {
    who: async () => ({ token: null, headers: { cookie: "__Host-vibehq-local=x.y", [CSRF_HEADER]: "1" } }),
    gets: () => 401,
  },
  "a token with every scope but its own": {
    who: async (scopes) => ({
      token: (await tokenWith(SCOPES.filter((other) => !scopes.includes(other) && other !== "admin"))).token,
    }),
    gets: ({ scope }) => (scope === "signed-in" ? "in" : 403),
  },
  "a token of its scope": {
    who: async (scopes) => ({ token: (await tokenWith(scopes)).token }),
    gets: () => "in",
  },
  "an administrator's token": { who: async () => ({ token: (await tokenWith(["admin"])).token }), gets: () => "in" },
  "a browser of its scope": {
    who: async (scopes) => ({ token: null, headers: { ...(await cookieWith(scopes)), [CSRF_HEADER]: "1" } }),
    gets: () => "in",
  },
  "a browser without the header against forgery": {
    who: async (scopes) => ({ token: null, headers: await cookieWith(scopes) }),
    gets: ({ method }) => (method === "GET" ? "in" : 403),
  },
  "another origin's page in a browser of its scope": {
    who: async (scopes) => ({
      token: null,
      headers: { ...(await cookieWith(scopes)), [CSRF_HEADER]: "1", origin: "https://evil.test" },
    }),
    gets: () => 403,
  },
};

describe.each(guarded)("$name", ({ scope, ...route }) => {
  test.each(Object.keys(ROLES))("%s", async (name) => {
    const { who, gets } = ROLES[name]!;
    const caller = await who(scope === "signed-in" ? ["orders:read"] : [scope]);
    const hasBody = route.method !== "GET" && route.method !== "DELETE";
    const response = await call(route.path, { ...caller, method: route.method, ...(hasBody ? { body: {} } : {}) });
    const expected = gets({ method: route.method, scope });
    if (response.ok) return expect(expected).toBe("in");
    const { code, detail } = await problemOf(response);
    const atDoor = code === "UNAUTHENTICATED" ? 401 : code === "FORBIDDEN" ? 403 : "in";
    expect({ gets: atDoor, status: response.status }).toEqual({
      gets: expected,
      status: expected === "in" ? response.status : expected,
    });
    if (expected === 401) expect(response.headers.get("www-authenticate")).toContain("Bearer");
    if (name === "a token with every scope but its own" && expected === 403) expect(detail).toContain(scope);
  });
});

test("health, the document and its page ask for no token, and the page needs no other host", async () => {
  expect((await call("/api/health", { token: null })).status).toBe(200);
  expect((await call("/api/openapi.json", { token: null })).status).toBe(200);
  const page = await call("/api/docs", { token: null });
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const html = await page.text();
  expect(html).toContain("/api/patches/apply");
  expect(html).not.toMatch(/<script|https?:\/\/(?!vibehq)/);
});

describe("the doors between services", () => {
  const signed = Object.entries(ROWS).flatMap(([name, scope]) => {
    const [method = "", path = ""] = name.split(" ");
    return scope === "signed" ? [{ name, method, path }] : [];
  });

  test.each(signed)("$name: nobody's session or token opens it, a signature does", async ({ method, path }) => {
    const body = method === "POST" ? { body: {} } : {};
    const cookie = { ...(await cookieWith(["admin"])), [CSRF_HEADER]: "1" };
    for (const init of [{ token: null }, {}, { token: null, headers: cookie }]) {
      const response = await call(path, { method, ...init, ...body });
      expect(response.status).toBe(401);
      expect((await problemOf(response)).code).toMatch(/UNAUTHENTICATED|HEALTH_CALLBACK_FORGED/);
    }
  });

  test("are the only ones that change something and ask for no header against forgery", async () => {
    const cookie = await cookieWith(["admin"]);
    const changing = documented.filter(
      ({ name, scope }) => !name.startsWith("GET ") && scope !== "public" && scope !== "bearer",
    );
    const refused = await Promise.all(
      changing.map(async ({ name }) => {
        const [method = "", path = ""] = name.split(" ");
        const hasBody = method !== "DELETE";
        const response = await call(path.replaceAll(/\{\w+\}/g, "nothing-here"), {
          method,
          token: null,
          headers: cookie,
          ...(hasBody ? { body: {} } : {}),
        });
        const { detail } = await problemOf(response);
        return [name, detail.includes(CSRF_HEADER)] as const;
      }),
    );
    expect(refused.filter(([, asked]) => !asked).map(([name]) => name)).toEqual([
      "POST /health-check/execute",
      "POST /health-check/result",
    ]);
    for (const near of [
      "/health-check/results",
      "/health-check/result/",
      "/health-check/execute/x",
      "/Health-Check/result",
    ]) {
      const response = await call(near, { method: "POST", token: null, headers: cookie, body: {} });
      expect([near, response.status]).toEqual([near, 404]);
    }
  });
});

describe("POST /mcp", () => {
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
  const post = (init: { token?: string | null; headers?: Record<string, string> }) =>
    call("/mcp", { ...init, body: ping });

  test("any token that holds opens it, whatever its scopes; what it may do there is asked for by each tool", async () => {
    expect((await post({ token: (await tokenWith(["orders:read"])).token })).status).toBe(200);
    for (const token of ["nonsense", `vhq_aaaaaaaaaaaa_${"b".repeat(43)}`, await endedToken(["github:read"]), null]) {
      const response = await post({ token });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain("Bearer");
    }
  });

  test("a session is nobody here, with the header against forgery or without", async () => {
    const cookie = await cookieWith(["admin"]);
    for (const headers of [cookie, { ...cookie, [CSRF_HEADER]: "1" }]) {
      expect((await problemOf(await post({ token: null, headers }))).code).toBe("UNAUTHENTICATED");
    }
  });

  test("a page of another origin is refused whatever token it has, also one of a name bound anew to this address", async () => {
    for (const origin of ["https://evil.test", "null", "http://vibehq.test", "https://vibehq.test.evil.test"]) {
      expect((await problemOf(await post({ headers: { origin } }))).code, origin).toBe("FORBIDDEN");
    }
    expect((await post({ headers: { origin: "https://vibehq.test" } })).status).toBe(200);
    const at = (url: string) =>
      exports.default.fetch(
        new Request(`${url}/mcp`, {
          method: "POST",
          headers: { authorization: `Bearer ${BOOTSTRAP}`, "content-type": "application/json", origin: url },
          body: JSON.stringify(ping),
        }),
      );
    expect((await at("http://rebound.test:8787")).status).toBe(403);
    expect((await at("http://127.0.0.1:8787")).status).toBe(200);
    expect((await at("http://localhost:8787")).status).toBe(200);
  });
});
