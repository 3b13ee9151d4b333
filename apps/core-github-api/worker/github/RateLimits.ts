import { fail, type Failed } from "@shared/contracts";

/** Time, which tests own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export interface Pace {
  /** How long a request may wait for its turn before it is refused, in milliseconds. */
  maxWaitMs: number;
  /** Between two requests that change something: GitHub asks for a second. */
  writeGapMs: number;
  /** Requests under way at once: GitHub bears a hundred of one credential, over all isolates. */
  concurrent: number;
  /** How long GitHub may take for one answer, in milliseconds. */
  attemptMs: number;
}
export const PACE: Pace = { maxWaitMs: 5_000, writeGapMs: 1_000, concurrent: 10, attemptMs: 10_000 };

export type Resource = "core" | "search";

/** A refusal that says when to ask again. */
export interface Limited extends Failed {
  retryAfterSeconds: number;
}

/** What GitHub asks for after a secondary limit that says no time of its own. */
const SECONDARY_MS = 60_000;
const POLL_MS = 50;

const numberOf = (value: string | number | undefined): number | null => {
  const number = Number(value);
  return value === undefined || value === "" || !Number.isFinite(number) ? null : number;
};

type Headers = Record<string, string | number | undefined>;

/**
 * GitHub's limits for one credential, as its own headers tell them (docs.github.com/rest, "Best practices" and "Rate
 * limits"): once they are spent nobody asks again before their time, and a wait is bounded.
 *
 * It holds no promise that another request would have to settle: a request that is cancelled leaves its place by time.
 */
export class RateLimits {
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #spentUntil = new Map<Resource, number>();
  #blockedUntil = 0;
  #nextWriteAt = 0;
  readonly #underWay = new Map<symbol, number>();

  constructor(clock: Clock, pace: Pace = PACE) {
    this.#clock = clock;
    this.#pace = pace;
  }

  /**
   * Waits for a request's turn; RATE_LIMITED where that would take too long, or nobody may ask now. The place is given
   * back by `leave`, or by `lifeMs` having passed.
   */
  async enter(
    resource: Resource,
    options: { writes: boolean; lifeMs: number },
  ): Promise<Failed | { leave: () => void }> {
    const began = this.#clock.now();
    const deadline = began + this.#pace.maxWaitMs;
    const turn = options.writes ? Math.max(began, this.#nextWriteAt) : began;
    if (turn > deadline) return this.refusal(turn);
    // Taken at once, so that whoever comes next is behind it.
    if (options.writes) this.#nextWriteAt = turn + this.#pace.writeGapMs;
    for (;;) {
      const now = this.#clock.now();
      const opensAt = Math.max(this.#openAt(resource), turn);
      if (opensAt > deadline) return this.refusal(opensAt);
      for (const [place, until] of this.#underWay) if (until <= now) this.#underWay.delete(place);
      if (opensAt <= now && this.#underWay.size < this.#pace.concurrent) break;
      if (now >= deadline) return this.refusal(now + 1_000);
      await this.#clock.sleep(Math.max(1, Math.min(deadline - now, opensAt > now ? opensAt - now : POLL_MS)));
    }
    const place = Symbol("place");
    this.#underWay.set(place, this.#clock.now() + options.lifeMs);
    return { leave: () => void this.#underWay.delete(place) };
  }

  /** Reads what an answer says of the limits; answers when to ask again where it was refused for them, else null. */
  note(status: number, headers: Headers): number | null {
    const now = this.#clock.now();
    const remaining = numberOf(headers["x-ratelimit-remaining"]);
    const reset = numberOf(headers["x-ratelimit-reset"]);
    const resource: Resource = headers["x-ratelimit-resource"] === "search" ? "search" : "core";
    // By GitHub's own clock, whatever ours says.
    const theirs = headers.date === undefined ? now : Date.parse(String(headers.date));
    const resetAt = reset === null ? null : now + Math.max(0, reset * 1_000 - (Number.isNaN(theirs) ? now : theirs));
    if (remaining !== null && remaining <= 0 && resetAt !== null) this.#spentUntil.set(resource, resetAt);
    else if (remaining !== null) this.#spentUntil.delete(resource);
    if (status !== 403 && status !== 429) return null;

    const retryAfter = numberOf(headers["retry-after"]);
    if (retryAfter !== null) return this.#block(now + retryAfter * 1_000);
    if (remaining === 0) return resetAt ?? this.#block(now + SECONDARY_MS);
    return status === 429 ? this.#block(now + SECONDARY_MS) : null;
  }

  /** A secondary limit that came without a time. */
  blockForSecondary(): number {
    return this.#block(this.#clock.now() + SECONDARY_MS);
  }

  /** RATE_LIMITED until a time, in milliseconds since 1970. */
  refusal(until: number): Limited {
    const retryAfterSeconds = Math.max(1, Math.ceil((until - this.#clock.now()) / 1_000));
    return {
      ...fail("RATE_LIMITED", `GitHub's limit is reached: ask again in ${retryAfterSeconds} s`),
      retryAfterSeconds,
    };
  }

  mayWaitFor(until: number): boolean {
    return until - this.#clock.now() <= this.#pace.maxWaitMs;
  }

  #block(until: number): number {
    this.#blockedUntil = Math.max(this.#blockedUntil, until);
    return this.#blockedUntil;
  }

  #openAt(resource: Resource): number {
    return Math.max(this.#blockedUntil, this.#spentUntil.get(resource) ?? 0);
  }
}
