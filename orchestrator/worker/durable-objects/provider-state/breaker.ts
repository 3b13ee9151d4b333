import { type AttemptClass, type Breaker, BreakerReasonSchema } from "@shared/contracts";
import { z } from "zod";

type Reason = z.infer<typeof BreakerReasonSchema>;

/** A provider's breaker as it is kept. Times are milliseconds since 1970. */
export const BreakerRecordSchema = z.object({
  /** Null: closed. */
  reason: BreakerReasonSchema.nullable(),
  /** When it lets one through; null of `auth`. */
  until: z.number().nullable(),
  /** The attempt that was let through, until it is settled. */
  probe: z.string().nullable(),
  /** In a row, since the last change. */
  failures: z.number(),
  emptyDiffs: z.number(),
  /** How often it opened for each reason since the last change: what cool-downs double by. */
  trips: z.partialRecord(BreakerReasonSchema, z.number()),
});
export type BreakerRecord = z.infer<typeof BreakerRecordSchema>;

export const CLOSED: BreakerRecord = {
  reason: null,
  until: null,
  probe: null,
  failures: 0,
  emptyDiffs: 0,
  trips: {},
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Cool-downs. A 429 that says how long is kept to the millisecond; one that does not is left alone for 30 seconds, twice as
 * long each time in a row, a quarter of an hour at most. Exhausted quotas come back by the hour or the day. A service that
 * fails is asked again after half a minute, then a minute, up to an hour. An agent that ends well and changes nothing costs
 * a whole run each time, so it rests longer.
 */
export const COOL_DOWN: Record<Exclude<Reason, "auth">, { first: number; cap: number }> = {
  "rate-limited": { first: 30 * SECOND, cap: 15 * MINUTE },
  quota: { first: 4 * HOUR, cap: 24 * HOUR },
  "empty-diff": { first: 30 * MINUTE, cap: 6 * HOUR },
  failures: { first: 30 * SECOND, cap: HOUR },
};

/** How many in a row open it. */
export const THRESHOLD = { failures: 3, "empty-diff": 3 } as const;

/** What a class of attempt says of its provider's health. Exhaustive, so that a new class is thought about. */
const MEANING: Record<AttemptClass, "works" | "empty" | "failure" | "rate-limited" | "quota" | "auth" | "nothing"> = {
  // It answered with a change; how good that was is the router's business.
  change: "works",
  applied: "works",
  "gate-refused": "works",
  "patch-refused": "works",
  "diff-refused": "works",
  "validation-failed": "works",
  "empty-diff": "empty",
  "rate-limited": "rate-limited",
  quota: "quota",
  auth: "auth",
  "provider-error": "failure",
  "agent-error": "failure",
  "import-refused": "failure",
  timeout: "failure",
  "output-limit": "failure",
  "disk-limit": "failure",
  "memory-limit": "failure",
  "cpu-limit": "failure",
  "process-limit": "failure",
  "key-printed": "failure",
  "not-installed": "failure",
  cancelled: "nothing",
  "host-lost": "nothing",
  budget: "nothing",
  unavailable: "nothing",
  "lost-race": "nothing",
};
export const meaningOf = (ended: AttemptClass) => MEANING[ended];

export const stateOf = (record: BreakerRecord, now: number): Breaker["state"] => {
  if (record.reason === null) return "closed";
  return record.until === null || now < record.until ? "open" : "half-open";
};

export const breakerOf = (record: BreakerRecord, now: number): Breaker => ({
  state: stateOf(record, now),
  reason: record.reason,
  until: record.until === null ? null : new Date(record.until).toISOString(),
  failures: Math.max(record.failures, record.emptyDiffs),
});

/** Lets an attempt through, or says why not. A half-open breaker lets one through and waits for how it ends. */
export function admit(record: BreakerRecord, key: string, now: number): { record: BreakerRecord } | { why: string } {
  switch (stateOf(record, now)) {
    case "closed":
      return { record };
    case "open":
      return { why: `closed after ${record.reason ?? "failures"}` };
    case "half-open":
      return record.probe === null || record.probe === key
        ? { record: { ...record, probe: key } }
        : { why: `being tried out after ${record.reason ?? "failures"}` };
  }
}

export interface Ended {
  key: string;
  class: AttemptClass;
  /** How long the provider asked to be left alone. */
  retryAfterMs: number | null;
}

/** How the breaker stands after an attempt has ended. */
export function observe(before: BreakerRecord, { key, class: ended, retryAfterMs }: Ended, now: number): BreakerRecord {
  const isProbe = before.probe === key;
  const record = isProbe ? { ...before, probe: null } : before;
  switch (MEANING[ended]) {
    case "nothing":
      return record;
    case "works":
      // While it is open, only the attempt that it let through speaks for now; others began before.
      return record.reason === null || isProbe ? CLOSED : record;
    case "auth":
      return trip(record, "auth", null);
    case "rate-limited":
      return trip(record, "rate-limited", retryAfterMs, now);
    case "quota":
      return trip(record, "quota", retryAfterMs, now);
    case "empty": {
      const emptyDiffs = record.emptyDiffs + 1;
      const counted = { ...record, emptyDiffs, failures: 0 };
      return emptyDiffs >= THRESHOLD["empty-diff"] || isProbe ? trip(counted, "empty-diff", null, now) : counted;
    }
    case "failure": {
      const failures = record.failures + 1;
      const counted = { ...record, failures };
      return failures >= THRESHOLD.failures || isProbe ? trip(counted, "failures", null, now) : counted;
    }
  }
}

function trip(record: BreakerRecord, reason: "auth", retryAfterMs: null): BreakerRecord;
function trip(
  record: BreakerRecord,
  reason: Exclude<Reason, "auth">,
  retryAfterMs: number | null,
  now: number,
): BreakerRecord;
function trip(record: BreakerRecord, reason: Reason, retryAfterMs: number | null, now = 0): BreakerRecord {
  // A refused key stays refused, whatever else goes wrong.
  if (record.reason === "auth") return record;
  const trips = { ...record.trips, [reason]: (record.trips[reason] ?? 0) + 1 };
  if (reason === "auth") return { ...record, reason, until: null, probe: null, trips };
  const { first, cap } = COOL_DOWN[reason];
  const until = now + (retryAfterMs ?? Math.min(cap, first * 2 ** Math.min(record.trips[reason] ?? 0, 30)));
  // What was asked for longest is kept: a shorter cool-down never opens the way early.
  if (record.reason !== null && record.until !== null && record.until > until) return { ...record, trips };
  return { ...record, reason, until, trips };
}

/** A changed key: what the old one was refused for is over. */
export const keyChanged = (record: BreakerRecord): BreakerRecord => (record.reason === "auth" ? CLOSED : record);
