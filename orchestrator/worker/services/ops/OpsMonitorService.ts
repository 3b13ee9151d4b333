import {
  fail,
  type Failed,
  type OpsScan,
  type OpsScope,
  OpsScopeSchema,
  type Result,
  type ScanTotals,
} from "@shared/contracts";
import { requireScope, type ServiceContext, systemActor } from "../../context.ts";
import { countTroubles } from "./countTroubles.ts";
import { fileIssues } from "./fileIssues.ts";
import { ingestLogs, type Ingested } from "./ingestLogs.ts";
import { judgeSeverity } from "./judgeSeverity.ts";
import { scanOfRow } from "./opsRows.ts";
import { writeOperation } from "../logging/logOperation.ts";
import { scanIsWell, tellOfIssues, tellOfScan } from "./tellPeople.ts";

/** A scan without a sign of life for so long is stuck: longer than a step of it may take. */
const LEASE_MS = 3 * 60_000;
/** A scan ends by itself after this, and the next one goes on: a scheduled run has fifteen minutes. */
const SCAN_MS = 10 * 60_000;
/**
 * Waits after which a part of a scan that a database did not answer is carried out anew: it goes on where it ended. The
 * sum is more than the minute or two for which D1 may stall, and less than the lease.
 */
const PAUSES_MS = [2_000, 5_000, 10_000, 20_000, 30_000, 30_000, 30_000];

/** The counts of a scan that has done nothing yet. */
export const noTotals = (): ScanTotals => ({
  logs_ingested: 0,
  worker_logs: 0,
  build_logs: 0,
  skipped: 0,
  reviewed: 0,
  issues_opened: 0,
  issues_reopened: 0,
  issues_closed: 0,
  comments: 0,
});

/** Another scan goes on in this one's place. */
class TakenForStuck extends Error {
  constructor() {
    super("this scan was taken for stuck, and another goes on");
  }
}

/** What the night shift does with logs: it reads them, groups them by their cause, and says each thing once on GitHub. */
export class OpsMonitorService {
  readonly #ctx: ServiceContext;
  readonly #deadline: number;
  readonly #sleep: (ms: number) => Promise<void>;
  /** Counted up by each part as it goes, however often it is carried out anew. */
  readonly #totals: ScanTotals = noTotals();
  #scan: number | null = null;
  #aliveAt = 0;

  constructor(
    ctx: ServiceContext,
    {
      scanMs = SCAN_MS,
      sleep = (ms: number) => scheduler.wait(ms),
    }: { scanMs?: number; sleep?: (ms: number) => Promise<void> } = {},
  ) {
    this.#ctx = ctx;
    this.#sleep = sleep;
    this.#deadline = ctx.now().getTime() + scanMs;
  }

  /** Reads and stores what was logged since the last time. Throws where a database does not answer. */
  async ingestLogs(scope: OpsScope): Promise<Ingested & ScanTotals> {
    const totals = this.#totals;
    const ingested = await ingestLogs(this.#ctx, scope, { deadline: this.#deadline, alive: this.#alive, totals });
    return { ...totals, ...ingested };
  }

  /**
   * Counts what came in to its issues, judges them, brings GitHub to them, and tells a person of the gravest. `complete`
   * names the kinds of log that have been read up to now: only their silence closes anything. Throws where a database
   * does not answer.
   */
  async analyzeAndFile(
    scope: OpsScope,
    complete: readonly ("worker-log" | "build-log")[] = [],
  ): Promise<{ errors: string[] } & ScanTotals> {
    const totals = this.#totals;
    for (const kind of kindsOf(scope)) await countTroubles(this.#ctx, kind, { alive: this.#alive, totals });
    await judgeSeverity(this.#ctx, this.#alive);
    const filed = await fileIssues(this.#ctx, { closeQuiet: complete, alive: this.#alive, totals });
    await tellOfIssues(this.#ctx, this.#alive);
    return { ...totals, ...filed };
  }

  /**
   * One whole scan, with its row in `ops_scans`. Needs `ops:write`. One runs at a time: another gets CONFLICT, and one that
   * gave no sign of life is marked stuck by the next, which goes on where it ended. A scan that failed in part says so in
   * its row and answers with it.
   */
  async runScan(scope: OpsScope = "full"): Promise<Result<{ scan: OpsScan }>> {
    const denied = requireScope(this.#ctx, "ops:write");
    if (denied) return denied;
    const parsed = OpsScopeSchema.safeParse(scope);
    if (!parsed.success) return fail("VALIDATION_FAILED", "scope: cloudflare, cicd or full");
    const begun = await this.#begin(parsed.data);
    if (!begun.ok) return begun;
    let outcome: Outcome = "done";
    let errors: string[] = [];
    try {
      const ingested = await this.#persist(() => this.ingestLogs(parsed.data));
      const complete = ingested.complete ? kindsOf(parsed.data) : [];
      const analyzed = await this.#persist(() => this.analyzeAndFile(parsed.data, complete));
      errors = [...ingested.errors, ...analyzed.errors];
      if (!ingested.complete || errors.length > 0) outcome = "partial";
    } catch (error) {
      this.#ctx.log.error("a scan broke off", { error });
      outcome = "failed";
      errors = ["a database did not answer; the next scan goes on"];
    }
    return this.#end(begun.id, {
      outcome,
      error: errors.join("\n").slice(0, 2_000) || null,
      totals: this.#totals,
    });
  }

  async #begin(scope: OpsScope): Promise<{ ok: true; id: number } | Failed> {
    const { env } = this.#ctx;
    const now = this.#ctx.now();
    const at = now.toISOString();
    const lease = new Date(now.getTime() + LEASE_MS).toISOString();
    const [stuck, begun] = await env.DB_OPS.batch<{ id: number; started_by?: string | null }>([
      env.DB_OPS.prepare(STUCK).bind(at),
      env.DB_OPS.prepare(BEGIN).bind(scope, at, this.#ctx.actor.id, lease),
    ]);
    for (const row of stuck?.results ?? []) await this.#noticeStuck(row.id, row.started_by ?? null);
    const id = begun?.results[0]?.id;
    if (id === undefined) return fail("CONFLICT", "a scan is running", { retryable: true });
    this.#scan = id;
    this.#aliveAt = now.getTime();
    return { ok: true, id };
  }

  /** Carries a part of a scan out, and anew where a database did not answer: each part bears that anywhere. */
  async #persist<T>(part: () => Promise<T>): Promise<T> {
    for (const pause of PAUSES_MS) {
      try {
        return await part();
      } catch (error) {
        if (error instanceof TakenForStuck || this.#ctx.now().getTime() + pause >= this.#deadline) throw error;
        this.#ctx.log.warn("a part of a scan broke off and is carried out anew", { scan: this.#scan, pause, error });
        await this.#sleep(pause);
      }
    }
    return part();
  }

  /** Told often, written seldom. Throws where this scan was given up for stuck, so that it does not go on beside the next. */
  readonly #alive = async (): Promise<void> => {
    const now = this.#ctx.now().getTime();
    if (this.#scan === null || now - this.#aliveAt < LEASE_MS / 6) return;
    const lease = new Date(now + LEASE_MS).toISOString();
    const { meta } = await this.#ctx.env.DB_OPS.prepare(ALIVE).bind(this.#scan, lease).run();
    if (meta.changes !== 1) throw new TakenForStuck();
    this.#aliveAt = now;
  };

  async #end(id: number, { outcome, error, totals }: End): Promise<Result<{ scan: OpsScan }>> {
    const finishedAt = this.#ctx.now().toISOString();
    try {
      const row = await this.#persist(() => this.#store(id, { finishedAt, outcome, error, totals }));
      if (!row) return fail("CONFLICT", "this scan was taken for stuck");
      await this.#say(row, outcome);
      return { ok: true, scan: row };
    } catch (thrown) {
      this.#ctx.log.error("a scan's end could not be stored; the next one will call it stuck", {
        scan: id,
        error: thrown,
      });
      return fail("DATABASE_UNAVAILABLE", "the scan's end could not be stored", { nothingWritten: false });
    }
  }

  /** Null: it ended otherwise. One that was stored by an attempt whose answer was lost is found again. */
  async #store(id: number, end: End & { finishedAt: string }): Promise<OpsScan | null> {
    const row = await this.#ctx.db.ops
      .updateTable("ops_scans")
      .set({
        finished_at: end.finishedAt,
        outcome: end.outcome,
        error: end.error,
        totals: JSON.stringify(end.totals),
        lease_until: null,
      })
      .where("id", "=", id)
      .where((eb) => eb.or([eb("outcome", "is", null), eb("finished_at", "=", end.finishedAt)]))
      .where((eb) => eb.or([eb("outcome", "is", null), eb("outcome", "<>", "stuck")]))
      .returningAll()
      .executeTakeFirst();
    return row ? scanOfRow(row) : null;
  }

  /** A line of the log; a person is told of a scan that failed, and that one went well again. */
  async #say(scan: OpsScan, outcome: Outcome): Promise<void> {
    const durationMs = Math.max(0, Date.parse(scan.finished_at ?? scan.started_at) - Date.parse(scan.started_at));
    await writeOperation(this.#ctx, "ops", {
      operation: "ops.scan",
      level: outcome === "failed" ? "error" : outcome === "partial" ? "warn" : "info",
      message: `scan ${scan.id} of ${scan.scope}: ${outcome}${scan.error === null ? "" : `: ${scan.error}`}`,
      outcome,
      durationMs,
      meta: { scan: scan.id, scope: scan.scope, totals: scan.totals },
    });
    if (outcome === "failed") await tellOfScan(this.#ctx, { id: scan.id, outcome, error: scan.error ?? "" });
    else await scanIsWell(this.#ctx);
  }

  async #noticeStuck(id: number, startedBy: string | null): Promise<void> {
    const error = "it gave no sign of life; the next one goes on where it ended";
    this.#ctx.log.error("a scan was stuck; this one goes on", { scan: id });
    await writeOperation(this.#ctx, "ops", {
      operation: "ops.scan",
      level: "error",
      message: `scan ${id}: stuck: ${error}`,
      outcome: "stuck",
      meta: { scan: id },
    });
    // Of a run of the clock's that did not end the table of schedules tells.
    if (startedBy !== systemActor("schedule").id) await tellOfScan(this.#ctx, { id, outcome: "stuck", error });
  }
}

type Outcome = "done" | "partial" | "failed";
interface End {
  outcome: Outcome;
  error: string | null;
  totals: ScanTotals;
}

const kindsOf = (scope: OpsScope): ("worker-log" | "build-log")[] =>
  scope === "full" ? ["worker-log", "build-log"] : scope === "cloudflare" ? ["worker-log"] : ["build-log"];

export const STUCK = `
  UPDATE ops_scans SET outcome = 'stuck', finished_at = ?1, error = 'no sign of life'
  WHERE finished_at IS NULL AND outcome IS NULL AND coalesce(lease_until, '') < ?1 RETURNING id, started_by`;
export const BEGIN = `
  INSERT INTO ops_scans (scope, started_at, started_by, lease_until)
  SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM ops_scans WHERE finished_at IS NULL AND outcome IS NULL)
  RETURNING id`;
const ALIVE = "UPDATE ops_scans SET lease_until = ?2 WHERE id = ?1 AND outcome IS NULL";
