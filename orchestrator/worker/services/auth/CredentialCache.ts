import type { SessionRow } from "./session.ts";
import type { ApiTokenRow } from "./token.ts";

/** A credential is read again after this long, so a revocation takes effect everywhere within it. */
export const FRESH_MS = 30_000;
/** While D1 does not answer, a credential once read stays valid for this long and no longer. */
export const STALE_MS = 10 * 60_000;
const MAX_CREDENTIALS = 1_000;

export interface Cached<Row> {
  row: Row;
  readAt: number;
}

/**
 * What this isolate last read of each credential there is. That one is unknown is not remembered: prefixes come from
 * callers, and a flood of made-up ones would drive out those that must outlive an outage of D1.
 */
export class CredentialCache<Row> {
  readonly #rows = new Map<string, Cached<Row>>();

  get(key: string, nowMs: number): (Cached<Row> & { fresh: boolean }) | null {
    const cached = this.#rows.get(key);
    if (!cached) return null;
    const age = nowMs - cached.readAt;
    if (age > STALE_MS) {
      this.#rows.delete(key);
      return null;
    }
    return { ...cached, fresh: age <= FRESH_MS };
  }

  set(key: string, row: Row, nowMs: number): void {
    this.#rows.delete(key);
    this.#rows.set(key, { row, readAt: nowMs });
    if (this.#rows.size <= MAX_CREDENTIALS) return;
    // A Map keeps the order of insertion: the first is the one read longest ago.
    const oldest = this.#rows.keys().next();
    if (!oldest.done) this.#rows.delete(oldest.value);
  }

  delete(key: string): void {
    this.#rows.delete(key);
  }

  clear(): void {
    this.#rows.clear();
  }
}

/** The isolate's own: API tokens by their prefix, sessions by their id. */
export const tokenCache = new CredentialCache<ApiTokenRow>();
export const sessionCache = new CredentialCache<SessionRow>();
