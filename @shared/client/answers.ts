import {
  AgentRunEventSchema,
  AgentTelemetrySchema,
  AlertDeliverySchema,
  AlertSchema,
  AlertWebhookSchema,
  AssignmentSchema,
  BatchOutcomeSchema,
  CheckOutcomeSchema,
  CustodyRecordSchema,
  DeadLetterSchema,
  DecisionSchema,
  DeliveryReportRowSchema,
  ExecutionDetailSchema,
  ExecutionSchema,
  HilRequestSchema,
  FiledGithubIssueSchema,
  HealthCheckDetailSchema,
  HealthCheckSchema,
  HealthScheduleSchema,
  HealthSummarySchema,
  HilTelemetrySchema,
  JsonObjectSchema,
  MadePullRequestSchema,
  OpsIssueDetailSchema,
  OpsIssueSchema,
  OpsScannedSchema,
  OpsScanSchema,
  OpsSummarySchema,
  OpsTelemetrySchema,
  OperationLogSchema,
  OrderPullRequestSchema,
  OrderSchema,
  PatchEventSchema,
  PipelineTelemetrySchema,
  ProviderStatusSchema,
  ProjectSchema,
  ScheduleStateSchema,
  ScopeSchema,
  SessionSchema,
  TaskSchema,
  WhoAmISchema,
  WorkerCheckDetailSchema,
  WorkerHealthSchema,
  StatsSchema,
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
export const OrderPullRequestsAnswerSchema = z.object({ pull_requests: z.array(OrderPullRequestSchema) });
export const PhasesAnswerSchema = z.object({ phases: z.array(CustodyRecordSchema), cursor: z.string().nullable() });
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

export const OperationLogsAnswerSchema = z.object({
  results: z.array(OperationLogSchema),
  cursor: z.string().nullable(),
  last: z.number().int(),
});
export const SchedulesAnswerSchema = z.object({ schedules: z.array(ScheduleStateSchema) });
export const AlertsAnswerSchema = z.object({ alerts: z.array(AlertSchema), cursor: z.string().nullable() });
export const AlertAnswerSchema = z.object({ alert: AlertSchema.nullable() });
export const WebhooksAnswerSchema = z.object({ webhooks: z.array(AlertWebhookSchema), cursor: z.string().nullable() });
export const WebhookAnswerSchema = z.object({ webhook: AlertWebhookSchema });
export const WebhookMadeAnswerSchema = z.object({ webhook: AlertWebhookSchema, secret: z.string() });
export const WebhookDeletedAnswerSchema = z.object({ id: z.string() });
export const DeliveriesAnswerSchema = z.object({
  deliveries: z.array(AlertDeliverySchema),
  cursor: z.string().nullable(),
});
export const DeliveryAnswerSchema = z.object({ delivery: AlertDeliverySchema });

export const ReportAnswerSchema = z.object({ report: DeliveryReportRowSchema });
export const ReportsAnswerSchema = z.object({
  reports: z.array(DeliveryReportRowSchema),
  cursor: z.string().nullable(),
});
export const GeneratedAnswerSchema = z.object({ generated: z.number().int(), queued: z.number().int() });
export const SessionAnswerSchema = z.object({ session: SessionSchema });
export const SessionsAnswerSchema = z.object({ sessions: z.array(SessionSchema), cursor: z.string().nullable() });
export const WhoAnswerSchema = z.object({ who: WhoAmISchema });
export const TicketAnswerSchema = z.object({ ticket: z.string(), room: z.string(), expiresAt: z.string() });
export const NothingSchema = z.object({});
/** A token as its maker sees it; the token itself is shown once, when it is made. */
export const ApiTokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(ScopeSchema),
  requesters: z.array(z.string()).nullable(),
  workspaceId: z.string().nullable(),
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
export type ApiToken = z.infer<typeof ApiTokenSchema>;
export const TokenAnswerSchema = z.object({ apiToken: ApiTokenSchema });
export const TokenMadeAnswerSchema = TokenAnswerSchema.extend({ token: z.string() });
export const TokensAnswerSchema = z.object({ tokens: z.array(ApiTokenSchema), cursor: z.string().nullable() });
export const StatsAnswerSchema = StatsSchema.omit({ ok: true });
export const TrendsAnswerSchema = TrendsSchema.omit({ ok: true });
export const PipelineAnswerSchema = PipelineTelemetrySchema.omit({ ok: true });
export const AgentsAnswerSchema = AgentTelemetrySchema.omit({ ok: true });
export const OpsAnswerSchema = OpsTelemetrySchema.omit({ ok: true });
export const HilAnswerSchema = HilTelemetrySchema.omit({ ok: true });
export const ProvidersAnswerSchema = z.object({ providers: z.array(ProviderStatusSchema) });
export const ProviderAnswerSchema = z.object({ status: ProviderStatusSchema });
export const AssignedAnswerSchema = z.object({ assignment: AssignmentSchema, decision: DecisionSchema });
export const ExplainedAnswerSchema = z.object({ decision: DecisionSchema });
export const ExecutionsAnswerSchema = z.object({
  executions: z.array(ExecutionSchema),
  cursor: z.string().nullable(),
});
export const ExecutionAnswerSchema = z.object({ execution: ExecutionSchema });
export const ExecutionDetailAnswerSchema = z.object({ execution: ExecutionDetailSchema });
export const ExecutionOutputAnswerSchema = z.object({
  attempt: z.number().int(),
  events: z.array(AgentRunEventSchema),
  next: z.number().int(),
  more: z.boolean(),
  ended: z.boolean(),
});
export const DeadLettersAnswerSchema = z.object({
  deadLetters: z.array(DeadLetterSchema),
  cursor: z.string().nullable(),
});
export const DeadLetterAnswerSchema = z.object({ deadLetter: DeadLetterSchema });
export const HilRequestsAnswerSchema = z.object({
  requests: z.array(HilRequestSchema),
  cursor: z.string().nullable(),
});
export const HilRequestAnswerSchema = z.object({ request: HilRequestSchema });
export const ClarifiedAnswerSchema = HilRequestAnswerSchema.extend({ created: z.boolean() });

export const HealthCheckAnswerSchema = z.object({ check: HealthCheckSchema });
export const HealthCheckDetailAnswerSchema = z.object({ check: HealthCheckDetailSchema });
export const HealthChecksAnswerSchema = z.object({ checks: z.array(HealthCheckSchema), cursor: z.string().nullable() });
export const WorkersHealthAnswerSchema = z.object({ workers: z.array(WorkerHealthSchema) });
export const LatestHealthAnswerSchema = z.object({
  worker: WorkerHealthSchema,
  check: WorkerCheckDetailSchema.nullable(),
});
export const HealthSummaryAnswerSchema = HealthSummarySchema.omit({ ok: true });
export const HealthScheduleAnswerSchema = z.object({ schedule: HealthScheduleSchema });
export const HealthSchedulesAnswerSchema = z.object({
  schedules: z.array(HealthScheduleSchema),
  cursor: z.string().nullable(),
});
export const HeartbeatAnswerSchema = z.object({ next_within_s: z.number().int() });

export const OpsIssuesAnswerSchema = z.object({ issues: z.array(OpsIssueSchema), cursor: z.string().nullable() });
export const OpsIssueAnswerSchema = z.object({ issue: OpsIssueDetailSchema });
/** `told`: whether the issue on GitHub could be told. */
export const OpsIssueClaimedAnswerSchema = z.object({ issue: OpsIssueSchema, told: z.boolean() });
export const OpsIssueOrderedAnswerSchema = z.object({
  issue: OpsIssueSchema,
  order: OrderSchema,
  tasks: z.array(TaskSchema),
  created: z.boolean(),
});
export const OpsScansAnswerSchema = z.object({ scans: z.array(OpsScanSchema), cursor: z.string().nullable() });
export const OpsScanAnswerSchema = OpsScannedSchema;
export const LastOpsScanAnswerSchema = z.object({ scan: OpsScanSchema.nullable() });
export const OpsSummaryAnswerSchema = OpsSummarySchema.omit({ ok: true });
export const GithubIssuesAnswerSchema = z.object({
  issues: z.array(FiledGithubIssueSchema),
  next: z.number().int().nullable(),
});
export const GithubPullsAnswerSchema = z.object({
  prs: z.array(MadePullRequestSchema),
  next: z.number().int().nullable(),
});

export const AnyAnswerSchema = JsonObjectSchema;
