import { fail, type Result } from "@shared/contracts";
import type { Logger } from "@shared/worker-kit";
import type { CredentialCache } from "./CredentialCache.ts";

export interface AuthenticateOptions {
  log: Logger;
  now: () => Date;
  /** Keeps work alive after the answer: `ctx.waitUntil`. */
  background: (work: Promise<unknown>) => void;
}

/** How a kind of credential is kept: read by its key, and noted as used. */
export interface CredentialStore<Row> {
  cache: CredentialCache<Row>;
  read(key: string): Promise<Row | undefined>;
  noteUse(row: Row): Promise<unknown>;
}

/**
 * A credential's row, read at most every 30 s and, while D1 does not answer, believed for at most 10 min after it was
 * last read; null where there is none. Errors: DATABASE_UNAVAILABLE (D1 down and never read here).
 */
export async function findCredential<Row>(
  key: string,
  store: CredentialStore<Row>,
  { log, now, background }: AuthenticateOptions,
): Promise<Result<{ row: Row | null }>> {
  const nowMs = now().getTime();
  const cached = store.cache.get(key, nowMs);
  if (cached?.fresh) return { ok: true, row: cached.row };
  try {
    const row = await store.read(key);
    if (row === undefined) {
      store.cache.delete(key);
      return { ok: true, row: null };
    }
    store.cache.set(key, row, nowMs);
    background(
      store.noteUse(row).catch((error: unknown) => log.warn("the last use of a credential was not noted", { error })),
    );
    return { ok: true, row };
  } catch (error) {
    log.error("a credential could not be read", { error, stale: cached !== null });
    if (cached) return { ok: true, row: cached.row };
    return fail("DATABASE_UNAVAILABLE", "credentials cannot be read at the moment; try again");
  }
}
