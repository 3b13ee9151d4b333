import { z } from "zod";
import { PatchCountsSchema, DurationsSchema } from "./analytics.ts";
import { FactoryNameSchema, OrderStatusSchema, TaskStatusSchema } from "./orders.ts";

/** What goes on at the moment, for the overview. A part that nothing fills yet says so, and why. */

const count = z.number().int();
const AbsentSchema = z.object({ available: z.literal(false), reason: z.string() });
export type Absent = z.infer<typeof AbsentSchema>;

export const PipelineTelemetrySchema = z.object({
  ok: z.literal(true),
  ts: z.string(),
  in_flight: z.object({
    orders: count,
    tasks: count,
    /** Asked for since yesterday, and not settled. */
    patches: count,
  }),
  stages: z.array(z.object({ stage: OrderStatusSchema, orders: count })),
  tasks: z.array(z.object({ status: TaskStatusSchema, tasks: count })),
  throughput: z.object({
    today: PatchCountsSchema,
    /** The seven days before today. */
    week: PatchCountsSchema,
    per_day: z.number(),
    durations: DurationsSchema,
    last_patch: z.string().nullable(),
  }),
});
export type PipelineTelemetry = z.infer<typeof PipelineTelemetrySchema>;

export const AgentTelemetrySchema = z.object({
  ok: z.literal(true),
  ts: z.string(),
  /** Factories that work on something. */
  active: count,
  factories: z.array(
    z.object({
      factory: FactoryNameSchema,
      /** `working`: a task of its orders is in progress. `never seen`: it has asked for no patch in 30 days. */
      status: z.enum(["working", "idle", "never seen"]),
      orders: z.object({ received: count, in_progress: count }),
      tasks: z.object({ pending: count, in_progress: count }),
      today: PatchCountsSchema,
      week: PatchCountsSchema,
      last_patch: z.string().nullable(),
    }),
  ),
  /** Runs of providers: coding agents and models. */
  providers: z.union([
    AbsentSchema,
    z.object({
      available: z.literal(true),
      running: z.array(z.object({ provider: z.string(), running: count, waiting: count })),
    }),
  ]),
  /** What of the containers' room is taken. */
  capacity: AbsentSchema,
});
export type AgentTelemetry = z.infer<typeof AgentTelemetrySchema>;

export const OpsTelemetrySchema = z.object({
  ok: z.literal(true),
  ts: z.string(),
  scans: z.union([
    AbsentSchema,
    z.object({
      available: z.literal(true),
      last: z.object({ scope: z.string(), started_at: z.string(), finished_at: z.string().nullable() }),
      last_day: count,
    }),
  ]),
  /** Open ones; severity 1 is the gravest. */
  issues: z.object({ open: count, in_progress: count, gravest: count.nullable() }),
  /** The hub that events are sent on by: whether it answers, and how fast. */
  broadcast: z.object({ ok: z.boolean(), latency_ms: z.number() }),
  /** What has reached the database of each workspace's events. */
  delivery: z.object({ workspaces: count, events: count, last_at: z.string().nullable() }),
});
export type OpsTelemetry = z.infer<typeof OpsTelemetrySchema>;

export const HilTelemetrySchema = z.object({
  ok: z.literal(true),
  ts: z.string(),
  queue: z.union([
    AbsentSchema,
    z.object({
      available: z.literal(true),
      open: count,
      clarifications: count,
      plans: count,
      failures: count,
      /** When the oldest was asked, and when the first one ends unanswered. */
      since: z.string().nullable(),
      expires_at: z.string().nullable(),
      /** Decided in the last day, and how long those that were answered had waited. */
      answered: count,
      expired: count,
      waited_ms: z.number().nullable(),
    }),
  ]),
  /** What stands still until a person says something, as far as other parts know it. */
  waiting: z.object({
    executions: count,
    conversations: count,
    failed_tasks: count,
    /** When the one that waits longest began to. */
    since: z.string().nullable(),
  }),
});
export type HilTelemetry = z.infer<typeof HilTelemetrySchema>;
