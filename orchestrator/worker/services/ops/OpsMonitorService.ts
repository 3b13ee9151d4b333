import {
  fail,
  type Failed,
  type OpsScan,
  type OpsScope,
  OpsScopeSchema,
  type Result,
  type ScanTotals,
} from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { countTroubles } from "./countTroubles.ts";
import { type Filed, fileIssues } from "./fileIssues.ts";
import { ingestLogs, type Ingested } from "./ingestLogs.ts";
import { judgeSeverity } from "./judgeSeverity.ts";
import { scanOfRow } from "./opsRows.ts";

/** A scan without a sign of life for so long is stuck: longer than a step of it may take. */
const LEASE_MS = 3 * 60_000;
/** A scan ends by itself after this, and the next one goes on: a scheduled run has fifteen minutes. */
const SCAN_MS = 10 * 60_000;

interface Analyzed {
  reviewed: number;
  reopened: number;
  filed: Filed;
}

/** What the night shift does with logs: it reads them, groups them by their cause, and says each thing once on GitHub. */
export class OpsMonitorService {
  readonly #ctx: ServiceContext;
  readonly #deadline: number;
  #scan: number | null = null;
  #aliveAt = 0;

  constructor(ctx: ServiceContext, { scanMs = SCAN_MS }: { scanMs?: number } = {}) {
    this.#ctx = ctx;
    this.#deadline = ctx.now().getTime() + scanMs;
  }

  /** Reads and stores what was logged since the last time. Throws where a database does not answer. */
  ingestLogs(scope: OpsScope): Promise<Ingested> {
    return ingestLogs(this.#ctx, scope, { deadline: this.#deadline, alive: this.#alive });
  }

  /**
   * Counts what came in to its issues, judges them, and brings GitHub to them. `complete` names the kinds of log that have
   * been read up to now: only their silence closes anything. Throws where a database does not answer.
   */
  async analyzeAndFile(scope: OpsScope, complete: readonly ("worker-log" | "build-log")[] = []): Promise<Analyzed> {
    const kinds = (["worker-log", "build-log"] as const).filter(
      (kind) => scope === "full" || (scope === "cloudflare") === (kind === "worker-log"),
    );
    const analyzed = { reviewed: 0, reopened: 0 };
    for (const kind of kinds) {
      const counted = await countTroubles(this.#ctx, kind, this.#alive);
      analyzed.reviewed += counted.reviewed;
      analyzed.reopened += counted.reopened;
    }
    await judgeSeverity(this.#ctx, this.#alive);
    const filed = await fileIssues(this.#ctx, { closeQuiet: complete, alive: this.#alive });
    return { ...analyzed, filed };
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
    let outcome: "done" | "partial" | "failed" = "done";
    let errors: string[] = [];
    let ingested: Ingested | null = null;
    let analyzed: Analyzed | null = null;
    try {
      ingested = await this.ingestLogs(parsed.data);
      analyzed = await this.analyzeAndFile(parsed.data, ingested.complete ? kindsOf(parsed.data) : []);
      errors = [...ingested.errors, ...analyzed.filed.errors];
      if (!ingested.complete || errors.length > 0) outcome = "partial";
    } catch (error) {
      this.#ctx.log.error("a scan broke off", { error });
      outcome = "failed";
      errors = ["a database did not answer; the next scan goes on"];
    }
    return this.#end(begun.id, {
      outcome,
      error: errors.join("\n").slice(0, 2_000) || null,
      totals: totalsOf(ingested, analyzed),
    });
  }

  async #begin(scope: OpsScope): Promise<{ ok: true; id: number } | Failed> {
    const { env } = this.#ctx;
    const now = this.#ctx.now();
    const at = now.toISOString();
    const lease = new Date(now.getTime() + LEASE_MS).toISOString();
    const [stuck, begun] = await env.DB_OPS.batch<{ id: number }>([
      env.DB_OPS.prepare(STUCK).bind(at),
      env.DB_OPS.prepare(BEGIN).bind(scope, at, this.#ctx.actor.id, lease),
    ]);
    for (const { id } of stuck?.results ?? []) this.#ctx.log.error("a scan was stuck; this one goes on", { scan: id });
    const id = begun?.results[0]?.id;
    if (id === undefined) return fail("CONFLICT", "a scan is running", { retryable: true });
    this.#scan = id;
    this.#aliveAt = now.getTime();
    return { ok: true, id };
  }

  /** Told often, written seldom. Throws where this scan was given up for stuck, so that it does not go on beside the next. */
  readonly #alive = async (): Promise<void> => {
    const now = this.#ctx.now().getTime();
    if (this.#scan === null || now - this.#aliveAt < LEASE_MS / 6) return;
    const lease = new Date(now + LEASE_MS).toISOString();
    const { meta } = await this.#ctx.env.DB_OPS.prepare(ALIVE).bind(this.#scan, lease).run();
    if (meta.changes !== 1) throw new Error("this scan was taken for stuck, and another goes on");
    this.#aliveAt = now;
  };

  async #end(
    id: number,
    { outcome, error, totals }: { outcome: "done" | "partial" | "failed"; error: string | null; totals: ScanTotals },
  ): Promise<Result<{ scan: OpsScan }>> {
    try {
      const row = await this.#ctx.db.ops
        .updateTable("ops_scans")
        .set({
          finished_at: this.#ctx.now().toISOString(),
          outcome,
          error,
          totals: JSON.stringify(totals),
          lease_until: null,
        })
        .where("id", "=", id)
        .where("outcome", "is", null)
        .returningAll()
        .executeTakeFirst();
      return row ? { ok: true, scan: scanOfRow(row) } : fail("CONFLICT", "this scan was taken for stuck");
    } catch (thrown) {
      this.#ctx.log.error("a scan's end could not be stored; the next one will call it stuck", {
        scan: id,
        error: thrown,
      });
      return fail("DATABASE_UNAVAILABLE", "the scan's end could not be stored", { nothingWritten: false });
    }
  }
}

const kindsOf = (scope: OpsScope): ("worker-log" | "build-log")[] =>
  scope === "full" ? ["worker-log", "build-log"] : scope === "cloudflare" ? ["worker-log"] : ["build-log"];

const totalsOf = (ingested: Ingested | null, analyzed: Analyzed | null): ScanTotals => ({
  logs_ingested: (ingested?.worker_logs ?? 0) + (ingested?.build_logs ?? 0),
  worker_logs: ingested?.worker_logs ?? 0,
  build_logs: ingested?.build_logs ?? 0,
  skipped: ingested?.skipped ?? 0,
  reviewed: analyzed?.reviewed ?? 0,
  issues_opened: analyzed?.filed.filed ?? 0,
  issues_reopened: analyzed?.reopened ?? 0,
  issues_closed: analyzed?.filed.closed ?? 0,
  comments: analyzed?.filed.comments ?? 0,
});

const STUCK = `
  UPDATE ops_scans SET outcome = 'stuck', finished_at = ?1, error = 'no sign of life'
  WHERE finished_at IS NULL AND outcome IS NULL AND coalesce(lease_until, '') < ?1 RETURNING id`;
const BEGIN = `
  INSERT INTO ops_scans (scope, started_at, started_by, lease_until)
  SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM ops_scans WHERE finished_at IS NULL AND outcome IS NULL)
  RETURNING id`;
const ALIVE = "UPDATE ops_scans SET lease_until = ?2 WHERE id = ?1 AND outcome IS NULL";
