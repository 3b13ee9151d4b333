import type { AlertKind, RaiseAlertInput } from "@shared/contracts";
import { type ServiceContext, systemActor } from "../../context.ts";
import { raiseAlert } from "../alerts/raiseAlert.ts";
import { resolveAlert } from "../alerts/resolveAlert.ts";

/** What is said of a Worker's health. The same `key` is the same alert: it may be handed over more than once. */
export interface HealthAlert {
  key: string;
  kind: "down" | "up" | "flapping" | "settled" | "missed-run" | "stuck-run";
  severity: "critical" | "warning" | "info";
  subject: string;
  message: string;
  code: string | null;
  at: string;
}

const TITLE_LENGTH = 200;
const WORKER_LENGTH = 100;

/** A Worker has one open alert, of how it stands. */
export const workerCause = (worker: string): string => `health:${worker}`;
/** A schedule has one of each kind: times without a run, and runs without an end, are over each for itself. */
export const scheduleCause = (schedule: string, kind: "missed" | "stuck"): string =>
  `health-schedule:${schedule}:${kind}`;

/**
 * Raises an alert of health: a Worker that is down or flaps has one open until it is up, which is told as well. Handed over
 * again under its key it is not told again. Throws where it could not be stored, so that the caller tries again.
 */
export async function tellAlert(asked: ServiceContext, alert: HealthAlert): Promise<void> {
  const ctx = ofHealth(asked);
  const { key, subject, code, at, message } = alert;
  const told = toldAs(alert);
  // News of being up closes what was open and is nothing that stays open itself.
  const isOver = told.kind === "health.recovered";
  if (isOver) await resolve(ctx, told.dedupeKey);
  if (!(await isKnown(ctx, told.dedupeKey, key))) {
    const isWorker = told.kind.startsWith("health.");
    const raised = await raiseAlert(ctx, {
      ...told,
      severity: alert.severity,
      title: message.slice(0, TITLE_LENGTH),
      text: message.slice(0, 4_000),
      worker: isWorker ? subject.slice(0, WORKER_LENGTH) : "vibehq-orchestrator",
      data: { key, subject, code, at },
    });
    if (!raised.ok) throw new Error(`an alert of health was not raised: ${raised.error.code}`);
  }
  if (isOver) await resolve(ctx, told.dedupeKey);
}

/** Closes the open alert of a cause that is over. Throws where that could not be stored. */
export async function endAlert(ctx: ServiceContext, cause: string): Promise<void> {
  await resolve(ofHealth(ctx), cause);
}

function toldAs({ kind, severity, subject }: HealthAlert): Pick<RaiseAlertInput, "dedupeKey" | "coolDownMs"> & {
  kind: AlertKind;
} {
  const dedupeKey = workerCause(subject);
  switch (kind) {
    case "down":
      return { kind: "health.down", dedupeKey };
    // Told though an outage is open, which is more severe; not by two who hand it over at the same moment.
    case "flapping":
      return { kind: "health.flapping", dedupeKey, coolDownMs: 1_000 };
    case "up":
      return { kind: "health.recovered", dedupeKey };
    case "settled":
      return { kind: severity === "critical" ? "health.down" : "health.recovered", dedupeKey };
    case "missed-run":
      return { kind: "schedule.missed", dedupeKey: scheduleCause(subject, "missed") };
    case "stuck-run":
      return { kind: "schedule.stuck", dedupeKey: scheduleCause(subject, "stuck") };
  }
}

/** Whoever a check's result came from: that it is told, and over, is this Worker's own. */
const ofHealth = (ctx: ServiceContext): ServiceContext => ({ ...ctx, actor: systemActor("health") });

async function resolve(ctx: ServiceContext, dedupeKey: string): Promise<void> {
  const resolved = await resolveAlert(ctx, { dedupeKey });
  if (!resolved.ok) throw new Error(`an alert of health was not closed: ${resolved.error.code}`);
}

async function isKnown(ctx: ServiceContext, cause: string, key: string): Promise<boolean> {
  return (await ctx.env.DB_OPS.prepare(KNOWN).bind(cause, key).first()) !== null;
}

/** The alerts there were of a cause, by which one handed over twice is known. */
export const KNOWN = `SELECT 1 FROM alerts WHERE dedupe_key = ?1 AND data ->> 'key' = ?2`;
