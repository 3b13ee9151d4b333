import { HEALTH_DEFAULTS, PERMANENT_FAULTS, type HealthAttempt, type HealthFault } from "@shared/contracts";

/** Time and chance, so that tests own them. */
export interface Clock {
  now: () => Date;
  sleep: (ms: number) => Promise<void>;
  /** In [0, 1). */
  random: () => number;
}

export const realClock: Clock = {
  now: () => new Date(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: () => Math.random(),
};

export interface RetryPolicy {
  /** For one attempt. */
  timeoutMs: number;
  maxRetries: number;
}

/** What one attempt came to; `fault` null: it passed. */
export interface Tried<T> {
  value: T;
  fault: { code: HealthFault; message: string | null } | null;
}

/**
 * How long is waited before the nth retry, in milliseconds: the ceiling doubles from 2 s to 10 s, and half of it is left
 * to chance, so that many who failed at once do not come back at once. Never under 1 s, never over 10 s.
 */
export function backoffMs(retry: number, random: number): number {
  const { minDelayMs, maxDelayMs } = HEALTH_DEFAULTS;
  const ceiling = Math.min(maxDelayMs, minDelayMs * 2 ** retry);
  return Math.max(minDelayMs, Math.round(ceiling / 2 + (random * ceiling) / 2));
}

/** `late` where the work has not settled within `ms`; what it comes to then is let go of. Its signal is aborted. */
export async function within<T>(
  clock: Pick<Clock, "sleep">,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ late: false; value: T } | { late: true }> {
  const controller = new AbortController();
  const working = work(controller.signal).then((value) => ({ late: false as const, value }));
  // Where the time is over first, nobody waits for this any more.
  working.catch(() => undefined);
  const over = clock.sleep(ms).then(() => ({ late: true as const }));
  const first = await Promise.race([working, over]);
  if (first.late) controller.abort();
  return first;
}

/**
 * Tries until it passes, its fault is one that trying again does not mend, or the retries are used up. Answers with what
 * the last attempt came to, and with all attempts. An attempt past its time is `timed_out`, and `onLate` says what it
 * comes to.
 */
export async function retrying<T>(
  clock: Clock,
  policy: RetryPolicy,
  attemptOnce: (attempt: number, signal: AbortSignal) => Promise<Tried<T>>,
  onLate: (attempt: number) => Tried<T>,
): Promise<{ last: Tried<T>; attempts: HealthAttempt[] }> {
  const attempts: HealthAttempt[] = [];
  let waited = 0;
  for (let attempt = 1; ; attempt += 1) {
    const started = clock.now();
    const outcome = await within(clock, policy.timeoutMs, (signal) => attemptOnce(attempt, signal));
    const tried = outcome.late ? onLate(attempt) : outcome.value;
    attempts.push({
      attempt,
      status: outcome.late ? "timed_out" : tried.fault === null ? "passed" : "failed",
      code: tried.fault?.code ?? null,
      message: tried.fault?.message?.slice(0, 500) ?? null,
      started_at: started.toISOString(),
      duration_ms: Math.max(0, clock.now().getTime() - started.getTime()),
      waited_ms: waited,
    });
    const isOver = tried.fault === null || PERMANENT_FAULTS.has(tried.fault.code) || attempt > policy.maxRetries;
    if (isOver) return { last: tried, attempts };
    waited = backoffMs(attempt, clock.random());
    await clock.sleep(waited);
  }
}
