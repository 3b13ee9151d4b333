import { Cron } from "croner";
import type { ServiceContext } from "../../context.ts";

/** A line of the table of schedules. */
export interface Schedule {
  /** What its runs are kept under; unique in the table. */
  name: string;
  /** A refusal (`ok: false`) or an error is a failed run. It must bear being run twice, and being broken off. */
  run: (ctx: ServiceContext) => Promise<unknown>;
  /** How long a run may take before it counts as stuck, in milliseconds. Default: what the platform gives one. */
  maxMs?: number;
  /** Of one that runs every few minutes: a run that went well is a line of level debug, which is kept for a week. */
  quiet?: boolean;
}

/** A run failed, and whoever ran has told people of it under a cause of its own: once is enough. */
export class ToldFailure extends Error {}

/** A trigger's run may take 15 minutes of wall time (Workers limits, "Cron Triggers"). */
const MAX_MS = 15 * 60_000;

export const deadlineOf = (startedAt: Date, maxMs = MAX_MS): string =>
  new Date(startedAt.getTime() + maxMs).toISOString();

/** The minute a trigger stands for; the platform names it to the millisecond. */
export const minuteOf = (time: number): string => new Date(Math.floor(time / 60_000) * 60_000).toISOString();

/** The first `limit` times an expression is due after one time and up to another, in UTC as the platform has it. */
export const duesBetween = (cron: string, after: Date, until: Date, limit: number): Date[] =>
  timetable(cron)
    .nextRuns(limit, after)
    .filter((due) => due.getTime() <= until.getTime());

export const nextDue = (cron: string, after: Date): Date | null => timetable(cron).nextRuns(1, after)[0] ?? null;

const timetable = (cron: string): Cron => new Cron(cron, { timezone: "UTC", mode: "5-part", paused: true });

/** One alert a line of the table, whatever is wrong with it. */
export const alertKeyOf = (name: string): string => `schedule:${name}`;
