import { type CustodyRecord, OrderIdSchema, PatchEvents, RoomSchema } from "@shared/contracts";
import type { Logger } from "@shared/worker-kit";
import { backoffMs } from "./backoff.ts";

/** Somewhere events are delivered to, in order, at least once; what it keeps makes a second delivery change nothing. */
export interface Sink {
  /** The events of this sink after `seq`, oldest first, as many as one delivery carries. */
  after(seq: number): CustodyRecord[];
  /** Delivers them and answers with the seq the sink now stands at. `from` is where this object believes it stood. */
  deliver(records: readonly CustodyRecord[], from: number): Promise<number>;
}

type Row = { sink: string; seq: number; target: number; failures: number; retry_at: number };

export interface SinksParts {
  sql: SqlStorage;
  /** The sink of a name: `d1:ops`, `d1:projects`, `queue:reports`, or `hub:` and a room. */
  sinkOf: (name: string) => Sink;
  now: () => Date;
  logger: Logger;
  /** How long one delivery may take, in milliseconds, before it counts as failed. */
  deadline: () => number;
}

/**
 * Sinks as cursors over the chain: each has the seq it has got to and the last seq that is meant for it. There is no
 * outbox to fill or to lose. Every sink is pumped by itself: one that fails holds up neither a caller nor another sink.
 */
export class Sinks {
  readonly #parts: SinksParts;
  readonly #pumping = new Map<string, Promise<void>>();

  constructor(parts: SinksParts) {
    this.#parts = parts;
  }

  /** Points the sinks at new records, in the transaction that appends them. */
  aim(records: readonly CustodyRecord[]): void {
    const targets = new Map<string, { first: number; last: number }>();
    for (const record of records) {
      for (const sink of sinksOf(record)) {
        const target = targets.get(sink);
        if (target) target.last = record.seq;
        else targets.set(sink, { first: record.seq, last: record.seq });
      }
    }
    for (const [sink, { first, last }] of targets) {
      this.#parts.sql.exec(
        // One that waits already goes on waiting for as long as it was to.
        `INSERT INTO cursors (sink, seq, target, retry_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (sink) DO UPDATE SET target = max(target, excluded.target),
           retry_at = iif(seq < target, retry_at, excluded.retry_at)`,
        sink,
        // Rooms of an order or project begin with its first record; what reads the whole chain begins with the chain.
        BEGINS_LATE.test(sink) ? first - 1 : 0,
        last,
        sink === REPORTS_SINK ? this.#parts.now().getTime() + GATHER_MS : 0,
      );
    }
  }

  /** Starts delivering to every sink that is behind; `due` leaves out those that wait, `live` all but the hub's rooms too. */
  async pump(which: "live" | "due" | "all"): Promise<void> {
    const now = which === "all" ? Number.MAX_SAFE_INTEGER : this.#parts.now().getTime();
    const behind = this.#parts.sql
      .exec<{ sink: string }>("SELECT sink FROM cursors WHERE seq < target AND retry_at <= ?", now)
      .toArray();
    const wanted = which === "live" ? behind.filter(({ sink }) => sink.startsWith("hub:")) : behind;
    await Promise.all(wanted.map(({ sink }) => this.#pumpOne(sink)));
  }

  /** When the next undone sink is due, in epoch milliseconds; null when all have everything. */
  nextDue(): number | null {
    return this.#parts.sql
      .exec<{ due: number | null }>("SELECT min(retry_at) AS due FROM cursors WHERE seq < target")
      .one().due;
  }

  get pumping(): boolean {
    return this.#pumping.size > 0;
  }

  seqOf(sink: string): number {
    const [row] = this.#parts.sql.exec<Row>("SELECT * FROM cursors WHERE sink = ?", sink);
    return row?.seq ?? 0;
  }

  /** Makes a sink receive everything after `seq` again. */
  rewind(sink: string, seq: number): void {
    this.#parts.sql.exec("UPDATE cursors SET seq = ?, failures = 0, retry_at = 0 WHERE sink = ?", seq, sink);
  }

  #pumpOne(name: string): Promise<void> {
    const running = this.#pumping.get(name);
    if (running) return running;
    const pumping = this.#deliverAll(name).finally(() => this.#pumping.delete(name));
    this.#pumping.set(name, pumping);
    return pumping;
  }

  async #deliverAll(name: string): Promise<void> {
    const { sql, sinkOf, now, logger, deadline } = this.#parts;
    const sink = sinkOf(name);
    for (;;) {
      const [row] = sql.exec<Row>("SELECT * FROM cursors WHERE sink = ?", name);
      if (!row || row.seq >= row.target) return;
      try {
        const records = sink.after(row.seq);
        const seq = records.length === 0 ? row.target : await within(deadline(), sink.deliver(records, row.seq));
        sql.exec("UPDATE cursors SET seq = ?, failures = 0, retry_at = 0 WHERE sink = ?", seq, name);
      } catch (error) {
        const failures = row.failures + 1;
        logger.warn("a sink did not take its events", { sink: name, after: row.seq, failures, error });
        const retryAt = now().getTime() + backoffMs(failures);
        sql.exec("UPDATE cursors SET failures = ?, retry_at = ? WHERE sink = ?", failures, retryAt, name);
        return;
      }
    }
  }
}

/**
 * A sink that hangs must not keep its events, nor the alarm, waiting for good. The delivery itself cannot be taken back:
 * if it still lands, delivering it again changes nothing.
 */
async function within<T>(milliseconds: number, delivery: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([delivery, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The sinks a record is meant for. An id that names no room, from an engine that stood alone, has none. */
const sinksOf = (record: CustodyRecord): string[] => [
  OPS_SINK,
  ...(record.kind === "patch" && record.task_id !== null ? [PROJECTS_SINK] : []),
  ...(settlesOrder(record) ? [REPORTS_SINK] : []),
  ...["all", `order:${record.order_id ?? ""}`, `project:${record.project_id ?? ""}`]
    .filter((room) => RoomSchema.safeParse(room).success)
    .map((room) => `hub:${room}`),
];

export const OPS_SINK = "d1:ops";
export const PROJECTS_SINK = "d1:projects";

export const REPORTS_SINK = "queue:reports";

/** How long the events of an order gather before its report is asked for, in milliseconds. */
const GATHER_MS = 2_000;

/** Whether a record tells the outcome of an order's patch. */
export const settlesOrder = (record: CustodyRecord): boolean =>
  record.kind === "patch" &&
  record.event_type !== PatchEvents.PATCH_REQUESTED &&
  OrderIdSchema.safeParse(record.order_id).success;

const BEGINS_LATE = /^(?:hub:(?:order|project):|queue:reports$)/;
