import type { ApiTokenRow } from "./token.ts";

/** A token is read again after this long, so a revocation takes effect everywhere within it. */
export const FRESH_MS = 30_000;
/** While D1 does not answer, a token once read stays valid for this long and no longer. */
export const STALE_MS = 10 * 60_000;
const MAX_TOKENS = 1_000;

export interface CachedToken {
  row: ApiTokenRow;
  readAt: number;
}

/**
 * What this isolate last read of each token there is. That a token is unknown is not remembered: prefixes come from
 * callers, and a flood of made-up ones would drive out those that must outlive an outage of D1.
 */
export class TokenCache {
  readonly #tokens = new Map<string, CachedToken>();

  get(prefix: string, nowMs: number): (CachedToken & { fresh: boolean }) | null {
    const cached = this.#tokens.get(prefix);
    if (!cached) return null;
    const age = nowMs - cached.readAt;
    if (age > STALE_MS) {
      this.#tokens.delete(prefix);
      return null;
    }
    return { ...cached, fresh: age <= FRESH_MS };
  }

  set(prefix: string, row: ApiTokenRow, nowMs: number): void {
    this.#tokens.delete(prefix);
    this.#tokens.set(prefix, { row, readAt: nowMs });
    if (this.#tokens.size <= MAX_TOKENS) return;
    // A Map keeps the order of insertion: the first is the one read longest ago.
    const oldest = this.#tokens.keys().next();
    if (!oldest.done) this.#tokens.delete(oldest.value);
  }

  delete(prefix: string): void {
    this.#tokens.delete(prefix);
  }
}

/** The isolate's own. */
export const tokenCache = new TokenCache();
