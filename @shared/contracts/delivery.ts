import { z } from "zod";
import type { Result } from "./errors.ts";
import { OrderIdSchema, Sha256Schema } from "./ids.ts";
import { TaskTypeSchema } from "./missionControl.ts";
import { FactoryNameSchema, OrderStatusSchema, TaskStatusSchema } from "./orders.ts";

/** What an order delivered, as JSON and Markdown, and what a stranger needs to hold it against the custody chain. */

const count = z.number().int().nonnegative();

/** A list that a report bounds: what did not fit is counted. */
const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), omitted: count });

/** A patch's last word. `requested`: its outcome is not known yet. */
export const DeliveredStatusSchema = z.enum(["requested", "applied", "validated", "failed", "reverted"]);
export type DeliveredStatus = z.infer<typeof DeliveredStatusSchema>;

/**
 * What a failure led to. `again`: the same patch was sent again and stands. `corrected`: its correction stands.
 * `replaced`: a later patch of its task, or of its file, stands.
 */
export const ResolutionSchema = z.object({
  how: z.enum(["again", "corrected", "replaced"]),
  patch_id: z.string(),
  ts: z.string(),
});

/** What the chain says of an order: a function of its events alone (`DeliveryLedger`), so that anyone can compute it again. */
export const DeliverySummarySchema = z.object({
  /** Patches by their last word. `succeeded`: applied or validated, and no type check found an error. */
  patches: z.object({
    total: count,
    requested: count,
    applied: count,
    validated: count,
    failed: count,
    reverted: count,
    succeeded: count,
  }),
  /** Percent of the patches whose outcome is known, to two places; null where there are none. */
  success_rate: z.number().nullable(),
  /** Of patches that stand. */
  lines_added: count,
  lines_removed: count,
  first_event: z.string().nullable(),
  last_event: z.string().nullable(),
  /** From the first event to the last, in milliseconds. */
  duration_ms: z.number().nonnegative().nullable(),
  /** What the engine spent on the log entries of these patches, in milliseconds. */
  engine_ms: z.number().nonnegative(),
  phases: listOf(
    z.object({
      /** Null: patches that named none. */
      phase: z.string().nullable(),
      patches: count,
      succeeded: count,
      failed: count,
      reverted: count,
      /** Messages about the phase, and the last one's type. */
      messages: count,
      last_message: z.string().nullable(),
      from: z.string(),
      to: z.string(),
    }),
  ),
  patch_list: listOf(
    z.object({
      patch_id: z.string(),
      file: z.string(),
      op: z.string(),
      task_id: z.string().nullable(),
      batch_id: z.string().nullable(),
      requester: z.string().nullable(),
      reason: z.string().nullable(),
      status: DeliveredStatusSchema,
      ts_check_ok: z.boolean().nullable(),
      lines_added: count,
      lines_removed: count,
      ts: z.string(),
    }),
  ),
  /** Files in which patches stand. */
  files: listOf(z.object({ file: z.string(), patches: count, lines_added: count, lines_removed: count })),
  /** One a refused batch: the patch at fault, its error, and what became of it. */
  failures: listOf(
    z.object({
      batch_id: z.string().nullable(),
      patch_id: z.string(),
      file: z.string(),
      op: z.string(),
      code: z.string(),
      message: z.string(),
      /** Patches the batch took with it, this one among them. */
      patches: count,
      ts: z.string(),
      resolution: ResolutionSchema.nullable(),
    }),
  ),
  reverts: listOf(
    z.object({
      patch_id: z.string(),
      file: z.string(),
      requester: z.string().nullable(),
      reason: z.string().nullable(),
      ts: z.string(),
    }),
  ),
  checks: z.object({
    /** Patches whose last type check passed, did not pass, or that had none. */
    types: z.object({ passed: count, failed: count, not_run: count }),
    /** The workspace's own checks, by name: on how many patches they passed and did not. */
    workspace: listOf(z.object({ name: z.string(), passed: count, failed: count })),
  }),
  providers: listOf(
    z.object({
      provider: z.string(),
      model: z.string().nullable(),
      patches: count,
      succeeded: count,
      failed: count,
    }),
  ),
  /** Per workspace, in the order of their ids: the order's events, the last of them, the tree that its last edit left. */
  chains: z.array(
    z.object({
      workspace_id: z.string(),
      events: count,
      last: z.object({ seq: z.number().int().positive(), hash: Sha256Schema }),
      tree: Sha256Schema.nullable(),
    }),
  ),
});
export type DeliverySummary = z.infer<typeof DeliverySummarySchema>;

export const DeliveryReportSchema = z.object({
  v: z.literal(1),
  order_id: OrderIdSchema,
  version: z.number().int().positive(),
  generated_at: z.string(),
  /** What was asked, as it stood then. `order` null: patches name an order that was never placed. */
  asked: z.object({
    order: z
      .object({
        title: z.string(),
        description: z.string(),
        factory: FactoryNameSchema,
        status: OrderStatusSchema,
        project_id: z.string().nullable(),
        workspace_id: z.string(),
        created_by: z.string(),
        created_at: z.string(),
      })
      .nullable(),
    tasks: listOf(z.object({ id: z.string(), title: z.string(), type: TaskTypeSchema, status: TaskStatusSchema })),
  }),
  delivered: DeliverySummarySchema,
  /** What providers' runs for the order cost, as far as they said. */
  costs: listOf(
    z.object({
      provider: z.string(),
      model: z.string().nullable(),
      executions: count,
      input_tokens: count,
      output_tokens: count,
      cost_usd: z.number().nonnegative(),
      duration_ms: z.number().nonnegative(),
    }),
  ),
  /** Where each chain stood: `head` is the link that an export must come to. */
  custody: z.array(
    z.object({
      workspace_id: z.string(),
      head: z.object({ seq: z.number().int().positive(), hash: Sha256Schema }),
    }),
  ),
  /** SHA-256 over the RFC 8785 text of all the above. */
  sha256: Sha256Schema,
});
export type DeliveryReport = z.infer<typeof DeliveryReportSchema>;

/** A report as it is kept: the columns of the document, and what stands beside them. */
export const DeliveryReportRowSchema = z.object({
  id: z.number().int(),
  order_id: OrderIdSchema,
  report_md: z.string(),
  /** The text of a DeliveryReport. */
  report_json: z.string(),
  success_rate: z.number().nullable(),
  total_patches: z.number().int().nullable(),
  created_at: z.string(),
  version: z.number().int().positive(),
  workspace_id: z.string().nullable(),
  factory: z.string().nullable(),
  events: count,
});
export type DeliveryReportRow = z.infer<typeof DeliveryReportRowSchema>;

export interface Generated {
  /** How many reports were written anew; those that would say the same are not. */
  generated: number;
  /** Orders left for the queue, where there were more than one call takes on. */
  queued: number;
}

/** Reports for factories: a factory sees and makes those of its own orders. */
export interface DeliveryReportsRpc {
  generateAll(): Promise<Result<Generated>>;
  /** The newest first; 10 unless said otherwise, 50 at most. */
  getRecent(limit?: number): Promise<Result<{ reports: DeliveryReportRow[]; cursor: string | null }>>;
  getByOrder(orderId: string): Promise<Result<{ report: DeliveryReportRow }>>;
}
