import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  ERROR_STATUS,
  ErrorCodeSchema,
  fail,
  isRetryable,
  problemOf,
  ProblemSchema,
  validationError,
  VibeErrorSchema,
  vibeError,
  type ErrorCode,
} from "../index.ts";

const codes = Object.keys(ERROR_STATUS) as ErrorCode[];

describe("the error codes", () => {
  it("each have an HTTP error status and a schema that takes them", () => {
    for (const code of codes) {
      expect(ERROR_STATUS[code], code).toBeGreaterThanOrEqual(400);
      expect(ERROR_STATUS[code], code).toBeLessThan(600);
      expect(ErrorCodeSchema.safeParse(code).success).toBe(true);
    }
    for (const bad of ["", "constructor", "toString", "ok", 400])
      expect(ErrorCodeSchema.safeParse(bad).success).toBe(false);
  });

  it("of the caller's own making are never called retryable, but where waiting helps", () => {
    for (const code of codes)
      if (ERROR_STATUS[code] < 500 && isRetryable(code)) expect(["RATE_LIMITED", "HEAD_MISMATCH"]).toContain(code);
  });
});

describe("an error", () => {
  it("says by default that nothing was written, and lets a caller in doubt say so", () => {
    expect(vibeError("STALE_CONTENT", "m")).toEqual({
      code: "STALE_CONTENT",
      message: "m",
      retryable: false,
      nothingWritten: true,
    });
    expect(vibeError("ENGINE_TIMEOUT", "m", { nothingWritten: null }).nothingWritten).toBeNull();
    expect(fail("NOT_FOUND", "m")).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  });

  it("becomes a problem document with its status, and parses as both", () => {
    for (const code of codes) {
      const error = vibeError(code, "why", {
        file: "a.ts",
        context: { startLine: 3, lines: ["x"] },
        candidates: [{ start: 1, end: 2 }],
        firstDivergence: { line: 1, expected: "a", actual: null },
        currentSha256: "0".repeat(64),
      });
      expect(VibeErrorSchema.parse(error)).toEqual(error);
      const problem = problemOf(error, { instance: "/api/patches/apply", requestId: "r" });
      expect(ProblemSchema.parse(problem)).toMatchObject({
        ok: false,
        code,
        status: ERROR_STATUS[code],
        detail: "why",
      });
    }
  });

  it("of a schema names each complaint's path, at most fifty", () => {
    const schema = z.object({ patches: z.array(z.object({ line: z.number() })) });
    const result = schema.safeParse({ patches: Array.from({ length: 80 }, () => ({ line: "x" })) });
    const error = validationError(result.error!);
    expect(error.code).toBe("VALIDATION_FAILED");
    expect(error.findings).toHaveLength(50);
    expect(error.findings?.[1]?.path).toEqual(["patches", 1, "line"]);
    expect(error.message).toContain("patches.0.line");
  });

  it("has no schema field that takes line zero", () => {
    const error = { ...vibeError("STALE_CONTENT", "m"), context: { startLine: 0, lines: [] } };
    expect(VibeErrorSchema.safeParse(error).error?.issues[0]?.path).toEqual(["context", "startLine"]);
  });
});
