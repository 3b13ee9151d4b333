import {
  AgentTelemetrySchema,
  BatchOutcomeSchema,
  CheckOutcomeSchema,
  CustodyRecordSchema,
  HilTelemetrySchema,
  JsonObjectSchema,
  OpsTelemetrySchema,
  OrderSchema,
  PatchEventSchema,
  PipelineTelemetrySchema,
  ProjectSchema,
  StatsSchema,
  TaskSchema,
  TrendsSchema,
  WorkspaceInfoSchema,
} from "@shared/contracts";
import { z } from "zod";

/** The success bodies of the REST API, `ok: true` aside. */

export const ApplyAnswerSchema = z.object({ outcome: BatchOutcomeSchema, results: z.array(PatchEventSchema) });
/** What a refusal of a batch carries beside its error, where it got so far. */
export const RefusalSchema = z.object({
  outcome: BatchOutcomeSchema.optional(),
  results: z.array(PatchEventSchema).optional(),
});

export const ProjectAnswerSchema = z.object({ project: ProjectSchema });
export const ProjectsAnswerSchema = z.object({ projects: z.array(ProjectSchema), cursor: z.string().nullable() });
export const OrderAnswerSchema = z.object({ order: OrderSchema, tasks: z.array(TaskSchema) });
export const OrderStatusAnswerSchema = z.object({ order: OrderSchema });
export const OrdersAnswerSchema = z.object({ orders: z.array(OrderSchema), cursor: z.string().nullable() });
export const TaskAnswerSchema = z.object({ task: TaskSchema });
export const TasksAnswerSchema = z.object({ tasks: z.array(TaskSchema), cursor: z.string().nullable() });

export const WorkspaceAnswerSchema = z.object({ workspace: WorkspaceInfoSchema });

export const ChecksAnswerSchema = z.object({ checks: z.array(CheckOutcomeSchema), results: z.array(PatchEventSchema) });
export const PatchAnswerSchema = z.object({
  patch: PatchEventSchema,
  events: z.array(CustodyRecordSchema),
  diff: z.string().nullable(),
});
export const DiffAnswerSchema = z.object({ diff: z.string() });
export const RecordedAnswerSchema = z.object({ recorded: z.number().int(), known: z.number().int() });

/** A row of the patch log: the columns every reader needs; the row's others come with it. */
export const PatchLogSchema = z.looseObject({
  id: z.number().int(),
  patch_id: z.string(),
  task_id: z.string().nullable(),
  file_path: z.string(),
  op: z.string(),
  event_type: z.string(),
  created_at: z.string(),
});
export type PatchLog = z.infer<typeof PatchLogSchema>;
export const LogsAnswerSchema = z.looseObject({ results: z.array(PatchLogSchema) });

export const StatsAnswerSchema = StatsSchema.omit({ ok: true });
export const TrendsAnswerSchema = TrendsSchema.omit({ ok: true });
export const PipelineAnswerSchema = PipelineTelemetrySchema.omit({ ok: true });
export const AgentsAnswerSchema = AgentTelemetrySchema.omit({ ok: true });
export const OpsAnswerSchema = OpsTelemetrySchema.omit({ ok: true });
export const HilAnswerSchema = HilTelemetrySchema.omit({ ok: true });

export const AnyAnswerSchema = JsonObjectSchema;
