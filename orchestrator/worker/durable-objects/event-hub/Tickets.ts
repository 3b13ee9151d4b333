import { ActorSchema, type SerializedActor } from "./subscription.ts";

export interface KeptTicket {
  id: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  actor: SerializedActor;
}

/** The tickets of a room: whom each admits, until it is used or over. */
export class Tickets {
  readonly #sql: SqlStorage;

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS tickets (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, actor TEXT NOT NULL)",
    );
  }

  keep({ id, expiresAt, actor }: KeptTicket, now: number): void {
    this.#sql.exec("DELETE FROM tickets WHERE expires_at <= ?", now);
    this.#sql.exec(
      "INSERT INTO tickets (id, expires_at, actor) VALUES (?, ?, ?)",
      id,
      expiresAt,
      JSON.stringify(actor),
    );
  }

  /** Whom this ticket admits; the second time, or too late, nobody. */
  redeem(id: string, now: number): SerializedActor | null {
    const [kept] = this.#sql
      .exec<{ expires_at: number; actor: string }>("DELETE FROM tickets WHERE id = ? RETURNING expires_at, actor", id)
      .toArray();
    return kept === undefined || kept.expires_at <= now ? null : ActorSchema.parse(JSON.parse(kept.actor));
  }
}
