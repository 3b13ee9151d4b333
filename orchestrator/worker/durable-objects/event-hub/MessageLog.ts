import { type Alert, ALERT_MESSAGE, type CustodyRecord } from "@shared/contracts";

/** A message as it is kept. `body` is the JSON of its custody record; the columns beside it are what filters read. */
export type StoredMessage = {
  offset: number;
  /** Whose chain it is from. */
  workspace: string;
  type: string;
  file: string | null;
  op: string | null;
  requester: string | null;
  body: string;
};

export interface MessageLogOptions {
  mintEpoch: () => string;
  /** How many messages are kept at least; up to a tenth more stand until the next trim. */
  keep: () => number;
}

/** What stands before an alert's id where a workspace's id stands otherwise; no workspace's begins so. */
const ANNOUNCED = "alert ";
const ANNOUNCED_END = "alert!";

/** A row stays under the 1 MB a Durable Object promises to hold. */
const MAX_BODY_CHARACTERS = 900_000 / 3;

/**
 * A room's stream: messages numbered from 1 without holes, under an epoch that is minted again only if storage was lost.
 * What `append` has answered for is stored: the runtime holds an answer back until the write is durable.
 */
export class MessageLog {
  readonly epoch: string;
  readonly #storage: DurableObjectStorage;
  readonly #keep: () => number;
  #first: number;
  #last: number;

  constructor(storage: DurableObjectStorage, options: MessageLogOptions) {
    this.#storage = storage;
    this.#keep = options.keep;
    const { sql } = storage;
    sql.exec(`CREATE TABLE IF NOT EXISTS messages (
      offset INTEGER PRIMARY KEY, workspace TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL,
      file TEXT, op TEXT, requester TEXT, body TEXT NOT NULL)`);
    sql.exec("CREATE TABLE IF NOT EXISTS sources (workspace TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID");
    sql.exec("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
    sql.exec("INSERT OR IGNORE INTO meta (key, value) VALUES ('epoch', ?)", options.mintEpoch());
    this.epoch = sql.exec<{ value: string }>("SELECT value FROM meta WHERE key = 'epoch'").one().value;
    const bounds = sql
      .exec<{ first: number | null; last: number | null }>(
        "SELECT MIN(offset) AS first, MAX(offset) AS last FROM messages",
      )
      .one();
    this.#last = bounds.last ?? 0;
    this.#first = bounds.first ?? 1;
  }

  /** The offset of the newest message; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Whether everything after `offset` is still here, so that a reader who stopped there can go on without a gap. */
  reaches(offset: number): boolean {
    return offset <= this.#last && offset + 1 >= this.#first;
  }

  /**
   * Stores those records of a workspace that are newer than the last one stored, in the order of their seq, all or none.
   * A source sends in ascending order and goes on from what was acknowledged; then a repeated, overlapping or late
   * delivery changes nothing.
   */
  append(workspace: string, records: readonly CustodyRecord[]): { seq: number; appended: number } {
    const { sql } = this.#storage;
    const known =
      sql.exec<{ seq: number }>("SELECT seq FROM sources WHERE workspace = ?", workspace).toArray()[0]?.seq ?? 0;
    const fresh = records.filter((record) => record.seq > known).toSorted((a, b) => a.seq - b.seq);
    let seq = known;
    let offset = this.#last;
    let first = this.#first;
    if (fresh.length === 0) return { seq, appended: 0 };

    this.#storage.transactionSync(() => {
      for (const record of fresh) {
        if (record.seq === seq) continue;
        seq = record.seq;
        offset += 1;
        const requester = record.meta.requester;
        sql.exec(
          "INSERT INTO messages (offset, workspace, seq, type, file, op, requester, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          offset,
          workspace,
          seq,
          record.event_type,
          record.file,
          record.op,
          typeof requester === "string" ? requester : null,
          bodyOf(record),
        );
      }
      sql.exec(
        "INSERT INTO sources (workspace, seq) VALUES (?1, ?2) ON CONFLICT (workspace) DO UPDATE SET seq = ?2",
        workspace,
        seq,
      );
      const keep = this.#keep();
      // A tenth of slack, so that a trim is one statement now and then and not one beside every message.
      if (offset - first + 1 > keep + Math.floor(keep / 10)) {
        first = offset - keep + 1;
        sql.exec("DELETE FROM messages WHERE offset < ?", first);
      }
    });

    const appended = offset - this.#last;
    this.#last = offset;
    this.#first = first;
    return { seq, appended };
  }

  /**
   * Stores an alert among the room's messages, once for each id. It belongs to no workspace's chain: who is confined to one
   * is not sent it.
   */
  announce(id: string, alert: Alert): boolean {
    const { sql } = this.#storage;
    const source = `${ANNOUNCED}${id}`;
    if (sql.exec("SELECT 1 FROM sources WHERE workspace = ?", source).toArray().length > 0) return false;
    this.#storage.transactionSync(() => {
      sql.exec(
        "INSERT INTO messages (offset, workspace, seq, type, body) VALUES (?, ?, 1, ?, ?)",
        this.#last + 1,
        source,
        ALERT_MESSAGE,
        JSON.stringify(alert),
      );
      sql.exec("INSERT INTO sources (workspace, seq) VALUES (?, 1)", source);
      // Those whose message is gone: as old as that, nobody announces them again.
      sql.exec(
        "DELETE FROM sources WHERE workspace >= ?1 AND workspace < ?2 AND workspace NOT IN (SELECT workspace FROM messages WHERE type = ?3)",
        ANNOUNCED,
        ANNOUNCED_END,
        ALERT_MESSAGE,
      );
    });
    this.#last += 1;
    return true;
  }

  /** The messages after `offset`, in order: at most `limit`, and no more once they pass `characters` of JSON. */
  after(offset: number, limit: number, characters: number): StoredMessage[] {
    const messages: StoredMessage[] = [];
    let size = 0;
    const rows = this.#storage.sql.exec<StoredMessage>(
      "SELECT offset, workspace, type, file, op, requester, body FROM messages WHERE offset > ? ORDER BY offset LIMIT ?",
      offset,
      limit,
    );
    for (const row of rows) {
      messages.push(row);
      size += row.body.length;
      if (size > characters) break;
    }
    return messages;
  }
}

/** The record's JSON. One too large for a row goes without its `meta`, and says so; the whole of it is in the log. */
function bodyOf(record: CustodyRecord): string {
  const body = JSON.stringify(record);
  return body.length <= MAX_BODY_CHARACTERS ? body : JSON.stringify({ ...record, meta: { truncated: true } });
}
