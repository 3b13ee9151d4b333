import {
  type ApplyResult,
  BatchOutcomeSchema,
  type LogEntry,
  PatchEventSchema,
  VibeErrorSchema,
} from "@shared/contracts";
import { z } from "zod";
import type { Texts } from "./Texts.ts";

/** What is to be done at the engine, in the order in which it was asked for. */
export interface Intent {
  batchId: string;
  kind: "batch" | "revert";
  payloadHash: string;
  actor: string;
  /** JSON text: the batch as sent, or a revert's request. */
  payload: string;
}

/** What became of a batch that is not in the queue any more: an entry of the engine's log, or a refusal. */
export type Settled = { payloadHash: string } & ({ entrySeq: number } | { entrySeq: null; refusal: ApplyResult });

type Row = {
  batch_id: string;
  kind: string;
  payload_hash: string;
  actor: string | null;
  state: string;
  entry_seq: number | null;
};

const RefusalSchema = z.object({
  ok: z.literal(false),
  error: VibeErrorSchema,
  outcome: BatchOutcomeSchema.optional(),
  results: z.array(PatchEventSchema).optional(),
});

/** The queue and the idempotency table of a workspace: one row a batch id, `queued` until its outcome is known. */
export class Intents {
  readonly #sql: SqlStorage;
  readonly #texts: Texts;

  constructor(sql: SqlStorage, texts: Texts) {
    this.#sql = sql;
    this.#texts = texts;
  }

  add(intent: Intent): void {
    this.#sql.exec(
      "INSERT INTO intents (batch_id, kind, payload_hash, actor, state) VALUES (?, ?, ?, ?, 'queued')",
      intent.batchId,
      intent.kind,
      intent.payloadHash,
      intent.actor,
    );
    this.#texts.write(`intent:${intent.batchId}`, intent.payload);
  }

  /** The oldest intent without an outcome. */
  next(): Intent | null {
    const [row] = this.#sql.exec<Row>("SELECT * FROM intents WHERE state = 'queued' ORDER BY position LIMIT 1");
    return row ? this.#intentOf(row) : null;
  }

  queued(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM intents WHERE state = 'queued'").one().n;
  }

  find(batchId: string): { queued: Intent } | { settled: Settled } | null {
    const [row] = this.#sql.exec<Row>("SELECT * FROM intents WHERE batch_id = ?", batchId);
    if (!row) return null;
    if (row.state === "queued") return { queued: this.#intentOf(row) };
    const payloadHash = row.payload_hash;
    if (row.entry_seq !== null) return { settled: { payloadHash, entrySeq: row.entry_seq } };
    const refusal = RefusalSchema.parse(JSON.parse(this.#texts.read(`result:${batchId}`) ?? "null"));
    return { settled: { payloadHash, entrySeq: null, refusal } };
  }

  /**
   * The log holds this batch: ours, or one an engine took on its own, whose id is known from now on. One of the same id
   * with another payload stays queued: the engine will refuse it. A revert's payload is hashed by each side for itself.
   */
  settleByEntry(entry: LogEntry): void {
    this.#sql.exec(
      `INSERT INTO intents (batch_id, kind, payload_hash, state, entry_seq) VALUES (?, ?, ?, 'settled', ?)
       ON CONFLICT (batch_id) DO UPDATE SET state = 'settled', entry_seq = excluded.entry_seq
       WHERE payload_hash = excluded.payload_hash OR (kind = 'revert' AND excluded.kind = 'revert')`,
      entry.batchId,
      entry.kind,
      entry.payloadHash,
      entry.seq,
    );
    const found = this.find(entry.batchId);
    if (found && "settled" in found) this.#texts.remove(`intent:${entry.batchId}`);
  }

  /** Remembers a refusal, so that asking again is answered the same. */
  settleByRefusal(batchId: string, refusal: ApplyResult): void {
    this.#sql.exec("UPDATE intents SET state = 'settled' WHERE batch_id = ?", batchId);
    this.#texts.remove(`intent:${batchId}`);
    this.#texts.write(`result:${batchId}`, JSON.stringify(refusal));
  }

  /** Forgets an intent that wrote nothing and may succeed when it is sent again. */
  forget(batchId: string): void {
    this.#sql.exec("DELETE FROM intents WHERE batch_id = ?", batchId);
    this.#texts.remove(`intent:${batchId}`);
  }

  #intentOf(row: Row): Intent {
    return {
      batchId: row.batch_id,
      kind: row.kind === "revert" ? "revert" : "batch",
      payloadHash: row.payload_hash,
      actor: row.actor ?? "",
      payload: this.#texts.read(`intent:${row.batch_id}`) ?? "",
    };
  }
}
