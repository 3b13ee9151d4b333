import { type Scope, SCOPES } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { openapiDocument } from "../../worker/api/openapi.ts";
import { app } from "../../worker/app.ts";
import { call, problemOf, tokenWith } from "./caller.ts";

/** Every route and what a token must hold for it. A route without a row here fails the test below. */
const ROWS: Record<string, Scope | "public"> = {
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
  "GET /api/telemetry/pipeline": "patches:read",
  "GET /api/telemetry/agents": "patches:read",
  "GET /api/telemetry/ops": "patches:read",
  "GET /api/telemetry/hil": "patches:read",
  "GET /api/patches/verify": "patches:read",
  "GET /api/patches/{patchId}": "patches:read",
  "GET /api/patches/{patchId}/diff": "patches:read",
  "POST /api/orders": "orders:write",
  "GET /api/orders": "orders:read",
  "GET /api/orders/{orderId}": "orders:read",
  "PATCH /api/orders/{orderId}": "orders:write",
  "POST /api/orders/{orderId}/phases": "orders:write",
  "POST /api/projects": "projects:write",
  "GET /api/projects": "projects:read",
  "GET /api/projects/{projectId}": "projects:read",
  "POST /api/tasks": "tasks:write",
  "GET /api/tasks": "tasks:read",
  "GET /api/tasks/{taskId}": "tasks:read",
  "PATCH /api/tasks/{taskId}": "tasks:write",
  "POST /api/auth/tokens": "admin",
  "GET /api/auth/tokens": "admin",
  "DELETE /api/auth/tokens/{id}": "admin",
  "GET /api/health": "public",
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
  return scope === "public" ? [] : [{ name, method, path: path.replaceAll(/\{\w+\}/g, "nothing-here"), scope }];
});

/** What a role gets at a route: the code of the refusal at the door, or `in` where the route itself answers. */
async function atDoor(route: { method: string; path: string }, token: string | null): Promise<string> {
  const response = await call(route.path, {
    method: route.method,
    token,
    ...(route.method === "GET" || route.method === "DELETE" ? {} : { body: {} }),
  });
  if (response.ok) return "in";
  const { code } = await problemOf(response);
  return code === "UNAUTHENTICATED" || code === "FORBIDDEN" ? code : "in";
}

describe.each(guarded)("$name", ({ scope, ...route }) => {
  test("without a token is answered 401", async () => {
    const response = await call(route.path, { method: route.method, token: null });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(await atDoor(route, "vhq_aaaaaaaaaaaa_" + "b".repeat(43))).toBe("UNAUTHENTICATED");
    expect(await atDoor(route, "nonsense")).toBe("UNAUTHENTICATED");
  });

  test("with every scope but its own is answered 403, naming it", async () => {
    const { token } = await tokenWith(SCOPES.filter((other) => other !== scope && other !== "admin"));
    const response = await call(route.path, {
      method: route.method,
      token,
      ...(route.method === "GET" || route.method === "DELETE" ? {} : { body: {} }),
    });
    expect(response.status).toBe(403);
    expect((await problemOf(response)).detail).toContain(scope);
  });

  test("lets its scope and an administrator in", async () => {
    const { token } = await tokenWith([scope]);
    expect(await atDoor(route, token)).toBe("in");
    expect(await atDoor(route, (await tokenWith(["admin"])).token)).toBe("in");
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
