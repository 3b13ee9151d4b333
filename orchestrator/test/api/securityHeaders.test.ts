import { describe, expect, test } from "vitest";
import { call } from "./caller.ts";

const HOSTILE = `<img src=x onerror=alert(1)>"'</script>`;

describe.each<[string, () => Promise<Response>, number]>([
  ["data", () => call("/api/orders"), 200],
  ["a refusal", () => call(`/api/orders/${encodeURIComponent(HOSTILE)}`), 404],
  ["nobody's address", () => call(`/api/${encodeURIComponent(HOSTILE)}`), 404],
  ["a caller unknown", () => call("/api/orders", { token: null }), 401],
  ["the API's document", () => call("/api/openapi.json", { token: null }), 200],
  ["the API's page", () => call("/api/docs", { token: null }), 200],
])("%s", (_, ask, status) => {
  test("is framed, run, sniffed and kept by nobody", async () => {
    const response = await ask();
    expect(response.status).toBe(status);
    const policy = response.headers.get("content-security-policy") ?? "";
    for (const directive of ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) {
      expect(policy).toContain(directive);
    }
    expect(policy).not.toContain("script-src");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });
});

test("what a caller wrote comes back as data, never as a page", async () => {
  const made = await call("/api/orders", { body: { title: HOSTILE, factory: "ui-factory" } });
  expect(made.status).toBe(201);
  expect(made.headers.get("content-type")).toMatch(/^application\/json/);
  const refused = await call("/api/orders", { body: { title: HOSTILE, factory: HOSTILE } });
  expect(refused.headers.get("content-type")).toMatch(/^application\/problem\+json/);
});
