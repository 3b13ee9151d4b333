import { z } from "zod";
import { OrderIdSchema, PatchIdSchema, TaskIdSchema, WorkspaceIdSchema } from "./ids.ts";
import { JsonObjectSchema } from "./json.ts";

/** What the house itself did: runs of the schedule, deliveries, reverts, what factories and specialists have to say. */

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export const LogLevelSchema = z.enum(LOG_LEVELS);
export type OperationLevel = z.infer<typeof LogLevelSchema>;

/** Entries of one call, and UTF-16 units of their JSON. */
export const MAX_LOG_ENTRIES = 100;
export const MAX_LOG_CHARACTERS = 256 * 1024;
/** What is kept of one message, and of one entry's `meta` as JSON, in UTF-16 units: the rest is cut off, and said so. */
export const MAX_LOG_MESSAGE = 4_000;
export const MAX_LOG_META = 16_000;

/** One line to be logged. Who writes it is never taken from it: the door knows. */
export const OperationEntrySchema = z.strictObject({
  /** What was being done, in dots: `delivery.report`, `patch.revert`. */
  operation: z
    .string()
    .regex(/^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*$/, "expected a name such as patch.revert")
    .max(100),
  level: LogLevelSchema.default("info"),
  message: z.string().min(1).max(65_536),
  /** How it ended, in a word; absent where nothing ended. */
  outcome: z.string().min(1).max(40).optional(),
  workspaceId: WorkspaceIdSchema.optional(),
  orderId: OrderIdSchema.optional(),
  taskId: TaskIdSchema.optional(),
  patchId: PatchIdSchema.optional(),
  requestId: z.string().min(1).max(200).optional(),
  durationMs: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
  meta: JsonObjectSchema.optional(),
});
export type OperationEntry = z.infer<typeof OperationEntrySchema>;
export type OperationEntryInput = z.input<typeof OperationEntrySchema>;

export const WriteLogsSchema = z.strictObject({ entries: z.array(OperationEntrySchema).max(MAX_LOG_ENTRIES) });

/** `dropped`: over what its source may write a minute. */
export interface LogsWritten {
  written: number;
  dropped: number;
}

export const OperationLogSchema = z.object({
  /** Grows with each row, in the order in which rows became visible: the cursor of a tail. */
  id: z.number().int(),
  ts: z.string(),
  source: z.string(),
  operation: z.string(),
  level: LogLevelSchema,
  message: z.string(),
  outcome: z.string().nullable(),
  actor: z.string().nullable(),
  request_id: z.string().nullable(),
  workspace_id: z.string().nullable(),
  order_id: z.string().nullable(),
  task_id: z.string().nullable(),
  patch_id: z.string().nullable(),
  duration_ms: z.number().nullable(),
  /** JSON text. */
  meta: z.string().nullable(),
});
export type OperationLog = z.infer<typeof OperationLogSchema>;

export const RUN_OUTCOMES = ["running", "ok", "failed", "stuck", "missed", "skipped"] as const;
export const ScheduledRunSchema = z.object({
  schedule: z.string(),
  /** The minute it was due. */
  due_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  /** `stuck`: it did not end in its time. `missed`: nobody started it. `skipped`: the one before was still under way. */
  outcome: z.enum(RUN_OUTCOMES),
  message: z.string().nullable(),
});
export type ScheduledRun = z.infer<typeof ScheduledRunSchema>;

export const ScheduleStateSchema = z.object({
  name: z.string(),
  cron: z.string(),
  /** Since when it is watched for missed runs; null: it has not been seen yet. */
  since: z.string().nullable(),
  next_at: z.string().nullable(),
  last: ScheduledRunSchema.nullable(),
});
export type ScheduleState = z.infer<typeof ScheduleStateSchema>;
