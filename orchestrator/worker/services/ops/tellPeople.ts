import { type ServiceContext, systemActor } from "../../context.ts";
import { raiseAlert } from "../alerts/raiseAlert.ts";
import { resolveAlert } from "../alerts/resolveAlert.ts";
import { alertsOverQuery, toAlertQuery } from "./due.ts";
import { titleOf } from "./issueText.ts";
import { describedOf } from "./opsRows.ts";

/** Alerts of issues in one scan, and closed again; the rest waits for the next. */
const MAX_ALERTS = 50;

const issueCause = (id: number): string => `ops:issue:${id}`;
/** One alert of scans, whatever is wrong with them, and one a source. */
const SCAN_CAUSE = "ops:scan";
const sourceCause = (name: string): string => `ops:source:${name}`;

/** Whoever asked for the scan: what a person is told of it is this Worker's own. */
const ofOps = (ctx: ServiceContext): ServiceContext => ({ ...ctx, actor: systemActor("ops") });

/**
 * Raises one alert for each issue of severity 1 or 2 by rule that is new or has come back, and closes the alerts of those
 * that are closed. The mark in the row follows the alert, so a crash between them tells the same open alert once more,
 * which counts it and says nothing new. Throws where a database does not answer.
 */
export async function tellOfIssues(asked: ServiceContext, alive: () => Promise<void>): Promise<{ alerts: number }> {
  const ctx = ofOps(asked);
  for (const { id } of await alertsOverQuery(ctx.db, MAX_ALERTS).execute()) {
    await alive();
    const resolved = await resolveAlert(ctx, { dedupeKey: issueCause(id) });
    if (!resolved.ok) throw new Error(`an alert of an issue was not closed: ${resolved.error.code}`);
    await ctx.db.ops.updateTable("ops_issues").set({ alert_open: 0 }).where("id", "=", id).execute();
  }
  const rows = await toAlertQuery(ctx.db, MAX_ALERTS).execute();
  for (const row of rows) {
    await alive();
    const { id, reopened, gh_issue_url: url } = row;
    const described = describedOf(row);
    const raised = await raiseAlert(ctx, {
      kind: reopened === 0 ? "ops.issue.filed" : "ops.issue.returned",
      severity: described.severity === 1 ? "critical" : "warning",
      title: titleOf(described),
      text: `Severity ${described.severity} of 5. Seen ${described.occurrences} times, first ${described.first_seen}, last ${described.last_seen}.${url === null ? "" : ` ${url}`}`,
      dedupeKey: issueCause(id),
      worker:
        described.worker === null || described.worker === "" ? null : described.worker.slice(0, 100).toWellFormed(),
      data: { issue: id, reopened, url },
    });
    if (!raised.ok) throw new Error(`an alert of an issue was not raised: ${raised.error.code}`);
    await ctx.db.ops.updateTable("ops_issues").set({ alerted: reopened, alert_open: 1 }).where("id", "=", id).execute();
  }
  return { alerts: rows.length };
}

/** A scan that broke off or gave no sign of life. Over with the next that reaches its end. */
export async function tellOfScan(
  ctx: ServiceContext,
  scan: { id: number; outcome: "failed" | "stuck"; error: string },
): Promise<void> {
  await raiseAlert(ofOps(ctx), {
    kind: "ops.scan.failed",
    severity: "warning",
    title: scan.outcome === "stuck" ? "A scan of logs is stuck" : "A scan of logs failed",
    text: `Scan ${scan.id}: ${scan.error}`,
    dedupeKey: SCAN_CAUSE,
    worker: "vibehq-orchestrator",
    data: { scan: scan.id, outcome: scan.outcome },
  });
}

export async function scanIsWell(ctx: ServiceContext): Promise<void> {
  await endAlert(ctx, SCAN_CAUSE);
}

/** A source that gave logs once and has given none for long. */
export async function tellOfSource(
  ctx: ServiceContext,
  source: { name: string; since: string; failure: string },
): Promise<void> {
  await raiseAlert(ofOps(ctx), {
    kind: "ops.scan.failed",
    severity: "warning",
    title: `Logs of ${source.name} cannot be read`,
    text: `Not since ${source.since}: ${source.failure}`,
    dedupeKey: sourceCause(source.name),
    worker: "vibehq-orchestrator",
    data: { source: source.name, since: source.since },
  });
}

export async function sourceIsWell(ctx: ServiceContext, name: string): Promise<void> {
  await endAlert(ctx, sourceCause(name));
}

/** That an alert could not be closed breaks no scan: the next one closes it. */
async function endAlert(ctx: ServiceContext, dedupeKey: string): Promise<void> {
  try {
    await resolveAlert(ofOps(ctx), { dedupeKey });
  } catch (error) {
    ctx.log.error("an alert was not closed: the database does not answer", { dedupeKey, error });
  }
}
