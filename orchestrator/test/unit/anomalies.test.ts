import type { Anomaly } from "@shared/contracts";
import { randomOf } from "@shared/testing/random";
import { type DayPlan, planYear } from "@shared/testing/seededYear";
import { describe, expect, test } from "vitest";
import { findAnomalies } from "../../worker/services/analytics/anomalies.ts";
import { noCounts } from "../../worker/services/analytics/patchCounts.ts";

const LAST_DAY = "2026-10-31";
/** Judged: what is before it is history alone. */
const DAYS = { from: "2026-02-21", to: LAST_DAY };
const SEEDS = ["1", "2", "3", "4", "5", "6", "7", "8"];

/** A seeded year, changed by `plant`, with chance deciding about each patch of it. */
function findIn(seed: string, plant: (plan: DayPlan) => Partial<DayPlan> = () => ({}), patches = 120_000): Anomaly[] {
  const random = randomOf(seed);
  const plans = planYear(random, { lastDay: LAST_DAY, patches }).map((plan) => ({ ...plan, ...plant(plan) }));
  const counts = new Map(
    plans.map((plan) => {
      const total = Math.round(plan.patches);
      const failed = Math.min(total, random.count(total * plan.failureRate));
      const timed = total - failed;
      // The mean of so many durations that are log-normally distributed.
      const mean = plan.durationMs * 1.3 * (1 + (0.9 * random.normal()) / Math.sqrt(Math.max(1, timed)));
      return [plan.day, { ...noCounts(), patches: total, ok: timed, failed, timed, duration_ms: mean * timed }];
    }),
  );
  const judged = findAnomalies({ days: DAYS, historyFrom: plans[0]?.day ?? null, counts });
  expect(judged).toMatchObject({ status: "judged", window: { weeks: 12, judged_days: 253 } });
  return judged.found;
}

const named = (found: readonly Anomaly[]) =>
  found.map(({ metric, kind, from, to }) => `${metric} ${kind} ${from}…${to}`);

describe("a seeded year", () => {
  test.each(SEEDS)("raises no alarm while nothing is planted in it (seed %s)", (seed) => {
    expect(named(findIn(seed))).toEqual([]);
    expect(named(findIn(seed, undefined, 12_000))).toEqual([]);
  });

  test.each(SEEDS)("shows the drops and spikes planted in it, and no others (seed %s)", (seed) => {
    const planted = (plan: DayPlan): Partial<DayPlan> => {
      if (plan.day === "2026-04-15") return { patches: plan.patches * 0.4 };
      if (plan.day === "2026-06-09") return { patches: 0 };
      if (plan.day === "2026-07-22") return { patches: plan.patches * 1.8 };
      // A Saturday on which as much is done as on a weekday.
      if (plan.day === "2026-08-29") return { patches: plan.patches * 3 };
      if (plan.day === "2026-09-17") return { failureRate: 0.3 };
      if (plan.day === "2026-10-06") return { durationMs: plan.durationMs * 2.5 };
      return {};
    };
    expect(named(findIn(seed, planted))).toEqual([
      "total drop 2026-04-15…2026-04-15",
      "total drop 2026-06-09…2026-06-09",
      "total spike 2026-07-22…2026-07-22",
      "total spike 2026-08-29…2026-08-29",
      "failure_rate spike 2026-09-17…2026-09-17",
      "duration spike 2026-10-06…2026-10-06",
    ]);
  });

  test.each(SEEDS)("shows slow drifts of which no single day stands out (seed %s)", (seed) => {
    /** So much more, or less, each week from a day on. */
    const drift = (plan: DayPlan, from: string, weekly: number): number =>
      plan.day < from ? 1 : weekly ** ((Date.parse(plan.day) - Date.parse(from)) / (7 * 86_400_000));
    const found = findIn(seed, (plan) => ({
      patches: plan.patches * drift(plan, "2026-06-20", 0.97),
      failureRate: Math.min(0.5, plan.failureRate * drift(plan, "2026-07-01", 1.07)),
      durationMs: plan.durationMs * drift(plan, "2026-06-01", 1.035),
    }));
    const kinds = new Set(found.map(({ metric, kind }) => `${metric} ${kind}`));
    expect(kinds).toEqual(new Set(["total drift_down", "failure_rate drift_up", "duration drift_up"]));
    for (const { from } of found) expect(from > "2026-06-01").toBe(true);
    // As long as it goes on, it is said.
    const last = new Map(found.map(({ metric, to }) => [metric, to]));
    expect([...last.values()]).toEqual([LAST_DAY, LAST_DAY, LAST_DAY]);
  });
});

describe("too little history", () => {
  const counts = new Map([["2026-10-30", { ...noCounts(), patches: 400 }]]);
  test("is an answer, and no alarm", () => {
    expect(findAnomalies({ days: DAYS, historyFrom: "2026-10-01", counts })).toMatchObject({
      status: "not enough history",
      window: { judged_days: 0, history_from: "2026-10-01" },
      found: [],
    });
    expect(findAnomalies({ days: DAYS, historyFrom: null, counts: new Map() })).toMatchObject({
      status: "not enough history",
      found: [],
    });
  });
});
