import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs, retrying, type Tried } from "../health/retrying.ts";
import { testClock } from "../testing/clocks.ts";

const policy = { timeoutMs: 29_999, maxRetries: 2 };
const failed: Tried<string> = { value: "failed", fault: { code: "DATABASE_FAILED", message: "no answer" } };
const passed: Tried<string> = { value: "passed", fault: null };
const late = (): Tried<string> => ({ value: "late", fault: { code: "PROFILE_TIMEOUT", message: null } });

describe("waiting between attempts", () => {
  test("is from 1 to 10 seconds, and its ceiling doubles", () => {
    expect([1, 2, 3, 4, 9].map((retry) => backoffMs(retry, 0))).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    expect([1, 2, 3, 4, 9].map((retry) => backoffMs(retry, 1))).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (retry, random) => {
        const ms = backoffMs(retry, random);
        return ms >= 1_000 && ms <= 10_000;
      }),
    );
  });
});

describe("retrying", () => {
  test("stops at the first attempt that passes", async () => {
    const clock = testClock();
    const outcomes = [failed, passed, failed];
    const { last, attempts } = await retrying(clock, policy, async () => outcomes.shift() ?? failed, late);
    expect(last.value).toBe("passed");
    expect(attempts.map(({ status, waited_ms }) => [status, waited_ms])).toEqual([
      ["failed", 0],
      ["passed", 1_000],
    ]);
  });

  test("tries three times in all, and says of each what it came to", async () => {
    const clock = testClock();
    const { attempts } = await retrying(clock, policy, async () => failed, late);
    expect(attempts.map(({ attempt, code }) => [attempt, code])).toEqual([
      [1, "DATABASE_FAILED"],
      [2, "DATABASE_FAILED"],
      [3, "DATABASE_FAILED"],
    ]);
    expect(clock.waits).toEqual([1_000, 2_000]);
  });

  test("cuts an attempt off when its time is over, and tells its work", async () => {
    const clock = testClock((ms) => ms === policy.timeoutMs);
    let cut = 0;
    const hang = async (_: number, signal: AbortSignal): Promise<Tried<string>> =>
      new Promise(() => signal.addEventListener("abort", () => (cut += 1)));
    const { attempts } = await retrying(clock, policy, hang, late);
    expect(attempts.map(({ status, duration_ms }) => [status, duration_ms])).toEqual([
      ["timed_out", 29_999],
      ["timed_out", 29_999],
      ["timed_out", 29_999],
    ]);
    expect(cut).toBe(3);
  });

  test("does not try again what trying again does not mend", async () => {
    const missing: Tried<string> = { value: "", fault: { code: "BINDING_MISSING", message: null } };
    const { attempts } = await retrying(testClock(), policy, async () => missing, late);
    expect(attempts).toHaveLength(1);
  });
});
