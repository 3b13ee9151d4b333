import { z } from "zod";
import { BatchIdSchema, OrderIdSchema, ProjectIdSchema, TaskIdSchema, WorkspaceIdSchema } from "./ids.ts";
import { WorkspaceSourceSchema } from "./engine.ts";
import { CodeReviewOutput, FileGenerationOutput, PhaseImplementationSchema } from "./factory.ts";
import { AllowedEditSchema, TaskTypeSchema } from "./missionControl.ts";
import { PatchOperationSchema } from "./patch.ts";
import { PatchEvents, type PatchEventType } from "./patchEvents.ts";
import { StatedRoutingSchema } from "./routing.ts";

export const FACTORIES = ["agent-factory", "data-factory", "services-factory", "ui-factory"] as const;
export const FactoryNameSchema = z.enum(FACTORIES);
export type FactoryName = z.infer<typeof FactoryNameSchema>;

export const OrderStatusSchema = z.enum(["received", "in_progress", "delivered", "failed", "cancelled"]);
export type OrderStatus = z.infer<typeof OrderStatusSchema>;

/** Which status an order may take next. A delivered or failed order may be worked on again; a cancelled one is over. */
export const ORDER_TRANSITIONS: Record<OrderStatus, readonly OrderStatus[]> = {
  received: ["in_progress", "cancelled"],
  in_progress: ["delivered", "failed", "cancelled"],
  delivered: ["in_progress"],
  failed: ["in_progress", "cancelled"],
  cancelled: [],
};

export const TaskStatusSchema = z.enum([
  "pending",
  "in_progress",
  "applied",
  "validated",
  "failed",
  "reverted",
  "cancelled",
]);
export type TaskStatus = z.infer<typeof TaskStatusSchema>;

export const TASK_TRANSITIONS: Record<TaskStatus, readonly TaskStatus[]> = {
  pending: ["in_progress", "cancelled"],
  in_progress: ["applied", "failed", "cancelled"],
  applied: ["in_progress", "validated", "failed", "reverted", "cancelled"],
  validated: ["in_progress", "reverted", "cancelled"],
  failed: ["in_progress", "cancelled"],
  reverted: ["in_progress", "cancelled"],
  cancelled: [],
};

/** The status a patch event asks of its task; a cancelled task keeps its status whatever its patches do. */
export const TASK_STATUS_OF_EVENT: Record<PatchEventType, TaskStatus> = {
  [PatchEvents.PATCH_REQUESTED]: "in_progress",
  [PatchEvents.PATCH_APPLIED]: "applied",
  [PatchEvents.PATCH_VALIDATED]: "validated",
  [PatchEvents.PATCH_FAILED]: "failed",
  [PatchEvents.PATCH_REVERTED]: "reverted",
};

export const canMove = <S extends string>(transitions: Record<S, readonly S[]>, from: S, to: S): boolean =>
  transitions[from].includes(to);

/** Timestamps are ISO 8601 in UTC with milliseconds. */
const timestamp = z.string();

export const ProjectSchema = z.object({
  id: ProjectIdSchema,
  name: z.string(),
  repository: z.string().nullable(),
  branch: z.string(),
  /** How the tasks of its orders are routed; absent: nothing is said of it. */
  routing: StatedRoutingSchema.optional(),
  created_by: z.string(),
  created_at: timestamp,
  updated_at: timestamp,
});
export type Project = z.infer<typeof ProjectSchema>;

export const CreateProjectSchema = z.object({
  id: ProjectIdSchema.optional(),
  name: z.string().min(1).max(200),
  repository: z.string().max(500).nullable().default(null),
  branch: z.string().max(200).default("main"),
  routing: StatedRoutingSchema.optional(),
});
export type CreateProject = z.infer<typeof CreateProjectSchema>;

export const TaskSchema = z.object({
  id: TaskIdSchema,
  order_id: OrderIdSchema,
  title: z.string(),
  type: TaskTypeSchema,
  status: TaskStatusSchema,
  allowed: z.array(AllowedEditSchema),
  max_changed_lines: z.number().int().positive().nullable(),
  created_at: timestamp,
  updated_at: timestamp,
});
export type Task = z.infer<typeof TaskSchema>;

export const CreateTaskSchema = z.object({
  id: TaskIdSchema.optional(),
  orderId: OrderIdSchema,
  title: z.string().min(1).max(500),
  type: TaskTypeSchema,
  allowed: z
    .array(AllowedEditSchema)
    .max(200)
    .default([{ files: "**" }]),
  maxChangedLines: z.number().int().positive().optional(),
});
export type CreateTask = z.infer<typeof CreateTaskSchema>;

export const OrderSchema = z.object({
  id: OrderIdSchema,
  project_id: ProjectIdSchema.nullable(),
  title: z.string(),
  description: z.string(),
  factory: FactoryNameSchema,
  status: OrderStatusSchema,
  workspace_id: WorkspaceIdSchema,
  /** How its tasks are routed, where it differs from its project. */
  routing: StatedRoutingSchema.optional(),
  created_by: z.string(),
  created_at: timestamp,
  updated_at: timestamp,
});
export type Order = z.infer<typeof OrderSchema>;

export const CreateOrderSchema = z.object({
  id: OrderIdSchema.optional(),
  projectId: ProjectIdSchema.nullable().default(null),
  title: z.string().min(1).max(500),
  description: z.string().max(20_000).default(""),
  factory: FactoryNameSchema,
  /** Absent: the order's own workspace, `order:<id>`. */
  workspaceId: WorkspaceIdSchema.optional(),
  /** Opens the workspace from this source if it is not open yet. */
  source: WorkspaceSourceSchema.optional(),
  routing: StatedRoutingSchema.optional(),
  tasks: z
    .array(CreateTaskSchema.omit({ orderId: true }))
    .max(200)
    .default([]),
});
export type CreateOrder = z.infer<typeof CreateOrderSchema>;

/** What a factory is asked to turn into patches for one phase of an order: generated files, a review, explicit patches. */
export const FulfilPhaseSchema = z.object({
  orderId: OrderIdSchema,
  phase: z.string().min(1).max(100),
  /** Names the phase's batch, so that asking twice applies once. Absent: minted. */
  batchId: BatchIdSchema.optional(),
  taskId: TaskIdSchema.optional(),
  /** A file may say its `format`: `full_content` is the whole file, whatever stands there now. */
  implementation: PhaseImplementationSchema.extend({
    files: z.array(FileGenerationOutput.partial({ format: true })),
  }).optional(),
  review: CodeReviewOutput.optional(),
  patches: z.array(PatchOperationSchema).max(1000).default([]),
  /** The order is delivered when this phase is validated. */
  lastPhase: z.boolean().default(false),
});
export type FulfilPhase = z.infer<typeof FulfilPhaseSchema>;
export type FulfilPhaseInput = z.input<typeof FulfilPhaseSchema>;
