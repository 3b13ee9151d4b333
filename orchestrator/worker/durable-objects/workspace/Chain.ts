import { type CustodyRecord, CustodyRecordSchema, GENESIS_HASH, type Result, fail } from "@shared/contracts";
import { canonicalText, sha256 } from "patch-engine/core";

/** An event before it has a place in the chain. */
export type Draft = Omit<CustodyRecord, "v" | "workspace_id" | "seq" | "prev_hash" | "hash">;

/** Records kept in memory. */
const RECENT = 64;

type Row = { seq: number; body: string; hash: string };

export interface ChainHead {
  seq: number;
  hash: string;
}

export interface ChainOptions {
  workspaceId: () => string;
  /** Called in the transaction that appends. */
  onAppend: (records: readonly CustodyRecord[]) => void;
}

/**
 * The custody chain of one workspace. A record's `hash` is the SHA-256 of its RFC 8785 text without `hash`, and exactly
 * that text is stored, so verifying never depends on writing JSON the same way twice.
 */
export class Chain {
  readonly #sql: SqlStorage;
  readonly #options: ChainOptions;
  /** Records as they were appended, by their number: what delivers them need not read them anew. */
  readonly #recent = new Map<number, CustodyRecord>();

  constructor(sql: SqlStorage, options: ChainOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /** After a transaction that was rolled back: what is remembered may not be on record. */
  forget(): void {
    this.#recent.clear();
  }

  head(): ChainHead {
    const [row] = this.#sql.exec<Row>("SELECT seq, body, hash FROM events ORDER BY seq DESC LIMIT 1");
    return row ? { seq: row.seq, hash: row.hash } : { seq: 0, hash: GENESIS_HASH };
  }

  /** Appends in order. The caller holds the transaction in which whatever the events speak of is stored too. */
  append(drafts: readonly Draft[]): CustodyRecord[] {
    let { seq, hash } = this.head();
    const records = drafts.map((draft) => {
      const unhashed = {
        v: 1 as const,
        workspace_id: this.#options.workspaceId(),
        seq: (seq += 1),
        prev_hash: hash,
        ...draft,
      };
      const body = canonicalText(unhashed);
      hash = sha256(body);
      this.#sql.exec(
        "INSERT INTO events (seq, patch_id, batch_id, order_id, project_id, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        seq,
        draft.patch_id,
        draft.batch_id,
        draft.order_id,
        draft.project_id,
        body,
        hash,
      );
      const record = { ...unhashed, hash };
      this.#remember(record);
      return record;
    });
    this.#options.onAppend(records);
    return records;
  }

  /** The records after `seq`, oldest first. */
  after(seq: number, limit: number): CustodyRecord[] {
    return this.#read("SELECT seq, body, hash FROM events WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit);
  }

  ofOrderAfter(orderId: string, seq: number, limit: number): CustodyRecord[] {
    return this.#read(
      "SELECT seq, body, hash FROM events WHERE order_id = ? AND seq > ? ORDER BY seq LIMIT ?",
      orderId,
      seq,
      limit,
    );
  }

  ofProjectAfter(projectId: string, seq: number, limit: number): CustodyRecord[] {
    return this.#read(
      "SELECT seq, body, hash FROM events WHERE project_id = ? AND seq > ? ORDER BY seq LIMIT ?",
      projectId,
      seq,
      limit,
    );
  }

  ofBatch(batchId: string): CustodyRecord[] {
    return this.#read("SELECT seq, body, hash FROM events WHERE batch_id = ? ORDER BY seq", batchId);
  }

  ofPatch(patchId: string): CustodyRecord[] {
    return this.#read("SELECT seq, body, hash FROM events WHERE patch_id = ? ORDER BY seq", patchId);
  }

  /** A patch's first event, and its last one before `seq`. */
  firstOfPatch(patchId: string): CustodyRecord | null {
    return this.#read("SELECT seq, body, hash FROM events WHERE patch_id = ? ORDER BY seq LIMIT 1", patchId)[0] ?? null;
  }

  lastOfPatchBefore(patchId: string, seq: number): CustodyRecord | null {
    return (
      this.#read(
        "SELECT seq, body, hash FROM events WHERE patch_id = ? AND seq < ? ORDER BY seq DESC LIMIT 1",
        patchId,
        seq,
      )[0] ?? null
    );
  }

  hashAt(seq: number): string | null {
    const [row] = this.#sql.exec<{ hash: string }>("SELECT hash FROM events WHERE seq = ?", seq);
    return row?.hash ?? null;
  }

  /** Recomputes every hash from the stored texts. CHAIN_BROKEN names the first link that does not hold. */
  verify(): Result<{ head: ChainHead }> {
    let previous: ChainHead = { seq: 0, hash: GENESIS_HASH };
    for (const row of this.#sql.exec<Row>("SELECT seq, body, hash FROM events ORDER BY seq")) {
      const record = parseRecord(row);
      const holds =
        row.seq === previous.seq + 1 &&
        record.seq === row.seq &&
        record.prev_hash === previous.hash &&
        sha256(row.body) === row.hash;
      if (!holds) return fail("CHAIN_BROKEN", `the custody chain does not hold at seq ${row.seq}`);
      previous = { seq: row.seq, hash: row.hash };
    }
    return { ok: true, head: previous };
  }

  #read(query: string, ...bindings: (string | number)[]): CustodyRecord[] {
    return this.#sql
      .exec<Row>(query, ...bindings)
      .toArray()
      .map((row) => {
        const recent = this.#recent.get(row.seq);
        return recent?.hash === row.hash ? recent : parseRecord(row);
      });
  }

  #remember(record: CustodyRecord): void {
    this.#recent.set(record.seq, record);
    if (this.#recent.size <= RECENT) return;
    for (const seq of this.#recent.keys()) {
      this.#recent.delete(seq);
      break;
    }
  }
}

const parseRecord = ({ body, hash }: Row): CustodyRecord => CustodyRecordSchema.parse({ ...JSON.parse(body), hash });
