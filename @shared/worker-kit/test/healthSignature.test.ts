import { HEALTH_SIGNATURE_HEADER, HEALTH_TIMESTAMP_HEADER } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { refuseUnsigned, signedHeaders } from "../health/signature.ts";

const SECRET = "a-secret-of-the-tests";
const NOW = new Date("2026-01-01T00:00:00.000Z");
const request = { method: "POST", path: "/health-check/result", body: '{"a":1}' };
const headers = (more: Record<string, string> = {}) => new Headers({ ...signedHeaders(SECRET, request, NOW), ...more });
const later = (ms: number) => new Date(NOW.getTime() + ms);

describe("a signed request", () => {
  test("is believed as it was sent, within five minutes", () => {
    expect(refuseUnsigned(SECRET, headers(), request, NOW)).toBeNull();
    expect(refuseUnsigned(SECRET, headers(), request, later(299_000))).toBeNull();
  });

  test.each([
    ["another body", { ...request, body: '{"a":2}' }],
    ["another path", { ...request, path: "/health-check/execute" }],
    ["another query", { ...request, path: "/health-check/result?a=1" }],
    ["another method", { ...request, method: "GET" }],
  ])("is refused with %s", (_, other) => {
    expect(refuseUnsigned(SECRET, headers(), other, NOW)?.error.code).toBe("UNAUTHENTICATED");
  });

  test("is refused when it is old, from the future, or its time was changed", () => {
    expect(refuseUnsigned(SECRET, headers(), request, later(301_000))).not.toBeNull();
    expect(refuseUnsigned(SECRET, headers(), request, later(-301_000))).not.toBeNull();
    const moved = headers({ [HEALTH_TIMESTAMP_HEADER]: String(NOW.getTime() / 1000 + 60) });
    expect(refuseUnsigned(SECRET, moved, request, NOW)).not.toBeNull();
  });

  test("is refused under another secret, without one, and under one that anybody could guess", () => {
    expect(refuseUnsigned(`${SECRET}x`, headers(), request, NOW)).not.toBeNull();
    expect(refuseUnsigned(undefined, headers(), request, NOW)).not.toBeNull();
    const weak = new Headers(signedHeaders("", request, NOW));
    expect(refuseUnsigned("", weak, request, NOW)).not.toBeNull();
  });

  test.each(["", "sha256=", "sha256=zz", "x".repeat(71), "sha1=0000"])(
    "is refused with the signature %j",
    (signature) => {
      expect(refuseUnsigned(SECRET, headers({ [HEALTH_SIGNATURE_HEADER]: signature }), request, NOW)).not.toBeNull();
    },
  );
});
