import { z } from "zod";
import { CLI_PROVIDERS, RunClassSchema, UsageSchema } from "./agentRuns.ts";
import { VibeErrorSchema } from "./errors.ts";
import { OrderIdSchema, ProjectIdSchema, TaskIdSchema, WorkspaceIdSchema } from "./ids.ts";
import { FactoryNameSchema } from "./orders.ts";
import { TaskTypeSchema } from "./missionControl.ts";

/** Who writes code: registry, assignments, executions, and what is asked of people on the way. */

export const MODEL_PROVIDERS = ["workers-ai", "ai-gateway"] as const;
export const PROVIDERS = ["jules", ...CLI_PROVIDERS, ...MODEL_PROVIDERS] as const;
export const ProviderNameSchema = z.enum(PROVIDERS);
export type ProviderName = z.infer<typeof ProviderNameSchema>;
export const ProviderTypeSchema = z.enum(["jules", "cli", "model"]);
export type ProviderType = z.infer<typeof ProviderTypeSchema>;

export const PrioritySchema = z.enum(["low", "normal", "high", "urgent"]);
export const CostProfileSchema = z.enum(["cheap", "balanced", "best"]);

const timestamp = z.string();
const count = z.number().int().nonnegative();

/** What a provider is good for and what it needs. Definitions stand in code; `ai_provider_configs` overrides some. */
export const ProviderDefinitionSchema = z.object({
  name: ProviderNameSchema,
  type: ProviderTypeSchema,
  title: z.string(),
  /** What it works on: a branch on GitHub, a workspace's tree, or files given in the question. */
  needs: z.enum(["github-branch", "workspace", "files"]),
  /** 0 to 1 for each type of task: the prior of the router, and how many outcomes it weighs as much as. */
  capabilities: z.record(TaskTypeSchema, z.number().min(0).max(1)),
  priorStrength: z.number().positive(),
  /** The secret's binding. */
  secret: z.string(),
  models: z.array(z.string()).min(1),
  default_model: z.string(),
  api_endpoint: z.url().nullable(),
  /** Without prices, `units` of quota are counted: one a run. */
  cost: z.discriminatedUnion("kind", [
    z.object({
      kind: z.literal("tokens"),
      inputUsdPerMillion: z.number().nonnegative(),
      outputUsdPerMillion: z.number().nonnegative(),
      /** Reserved before a run whose use is not known yet. */
      typicalUsd: z.number().nonnegative(),
    }),
    z.object({ kind: z.literal("quota"), unitsPerDay: count }),
  ]),
  concurrency: z.number().int().positive(),
  enabled: z.boolean(),
});
export type ProviderDefinition = z.infer<typeof ProviderDefinitionSchema>;

/** Why a provider is closed to new work, each with a cool-down of its own. */
export const BreakerReasonSchema = z.enum(["rate-limited", "quota", "auth", "empty-diff", "failures"]);
export const BreakerSchema = z.object({
  state: z.enum(["closed", "open", "half-open"]),
  reason: BreakerReasonSchema.nullable(),
  /** When it lets one try through; null of `auth`: when the key changes. */
  until: timestamp.nullable(),
  failures: count,
});
export type Breaker = z.infer<typeof BreakerSchema>;

/** A share and the interval it lies in at 90 %, by the posterior of the router. */
export const EstimateSchema = z.object({ mean: z.number(), low: z.number(), high: z.number(), outcomes: z.number() });

export const ProviderStatusSchema = z.object({
  provider: ProviderDefinitionSchema,
  /** Enabled, with a key, its breaker not open, a place and budget left. */
  available: z.boolean(),
  /** Why not. */
  reasons: z.array(z.string()),
  keyPresent: z.boolean(),
  breaker: BreakerSchema,
  running: count,
  budget: z.object({
    unit: z.enum(["usd", "units"]),
    limit: z.number().nullable(),
    spent: z.number(),
    reserved: z.number(),
  }),
  health: z.object({
    state: z.enum(["ok", "failing", "unknown"]),
    checked_at: timestamp.nullable(),
    message: z.string().nullable(),
  }),
  success: z.partialRecord(TaskTypeSchema, EstimateSchema),
});
export type ProviderStatus = z.infer<typeof ProviderStatusSchema>;

/** One candidate of a decision: refused by rules, or with a score that is the sum of its parts. */
export const CandidateScoreSchema = z.object({
  provider: ProviderNameSchema,
  model: z.string(),
  /** The hard rules it breaks; one is enough. */
  refused: z.array(z.object({ rule: z.string(), why: z.string() })),
  /** The share of success drawn from its posterior. */
  sample: z.number().nullable(),
  parts: z.array(z.object({ name: z.string(), value: z.number(), why: z.string() })),
  score: z.number().nullable(),
});
export const DecisionSchema = z.object({
  task_uuid: TaskIdSchema,
  provider: ProviderNameSchema,
  model: z.string(),
  /** The one tried next, and so on, should this one fail. */
  chain: z.array(z.object({ provider: ProviderNameSchema, model: z.string() })),
  /** `override`: of the order or the caller; the hard rules hold for it all the same. */
  by: z.enum(["score", "override"]),
  seed: z.string(),
  inputs: z.object({
    type: TaskTypeSchema,
    language: z.string(),
    priority: PrioritySchema,
    cost_profile: CostProfileSchema,
    preferredModel: z.string().nullable(),
    preferred: ProviderNameSchema.nullable(),
    repository: z.string().nullable(),
    branch: z.string().nullable(),
    branchOnGithub: z.boolean(),
  }),
  candidates: z.array(CandidateScoreSchema),
  decided_at: timestamp,
});
export type Decision = z.infer<typeof DecisionSchema>;

export const AssignmentSchema = z.object({
  id: count,
  task_uuid: TaskIdSchema,
  order_id: OrderIdSchema.nullable(),
  provider_name: ProviderNameSchema,
  provider_type: ProviderTypeSchema,
  status: z.enum(["pending", "assigned", "running", "waiting", "completed", "failed", "cancelled"]),
  execution_id: z.string().nullable(),
  decision: DecisionSchema.nullable(),
  created_at: timestamp,
  updated_at: timestamp,
});
export type Assignment = z.infer<typeof AssignmentSchema>;

/**
 * How an attempt of an execution ended: as the provider's run did, or later on the way.
 * - `applied`: the batch stands
 * - `import-refused`: what it answered is no change that can be read
 * - `gate-refused`: a gate refused the batch (task scope, omission, secrets, syntax, types …)
 * - `patch-refused`: the batch could not be placed
 * - `validation-failed`: it was applied, the workspace's check failed, and it was reverted
 * - `budget`, `unavailable`: never started
 * - `lost-race`: another was first
 */
export const AttemptClassSchema = z.enum([
  ...RunClassSchema.options,
  "applied",
  "import-refused",
  "gate-refused",
  "patch-refused",
  "validation-failed",
  "budget",
  "unavailable",
  "lost-race",
]);
export type AttemptClass = z.infer<typeof AttemptClassSchema>;

export const AttemptSchema = z.object({
  execution_id: z.string(),
  /** From 1. `<execution_id>.<attempt>` is the run's id at the host and the batch's id. */
  attempt: z.number().int().positive(),
  provider_name: ProviderNameSchema,
  model: z.string().nullable(),
  status: z.enum(["running", "ended"]),
  class: AttemptClassSchema.nullable(),
  message: z.string().nullable(),
  error: VibeErrorSchema.nullable(),
  batch_id: z.string().nullable(),
  /** A Jules session's name, where there is one. */
  external_id: z.string().nullable(),
  base_commit: z.string().nullable(),
  cli_version: z.string().nullable(),
  usage: UsageSchema,
  duration_ms: z.number().nullable(),
  started_at: timestamp,
  finished_at: timestamp.nullable(),
});
export type Attempt = z.infer<typeof AttemptSchema>;

export const EXECUTION_STATUSES = [
  "queued",
  "running",
  "waiting",
  "completed",
  "failed",
  "cancelled",
  "timed_out",
] as const;
export const ExecutionSchema = z.object({
  execution_id: z.string(),
  task_uuid: TaskIdSchema,
  order_id: OrderIdSchema.nullable(),
  workspace_id: WorkspaceIdSchema,
  provider_name: ProviderNameSchema,
  model: z.string().nullable(),
  status: z.enum(EXECUTION_STATUSES),
  class: AttemptClassSchema.nullable(),
  error: VibeErrorSchema.nullable(),
  batch_id: z.string().nullable(),
  race: z.array(ProviderNameSchema).nullable(),
  attempts: count,
  input_tokens: count.nullable(),
  output_tokens: count.nullable(),
  cost_usd: z.number().nullable(),
  duration_ms: z.number().nullable(),
  created_by: z.string(),
  created_at: timestamp,
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
});
export type Execution = z.infer<typeof ExecutionSchema>;

/** One execution whole. `input` is what a run is made again from: prompt, base, limits, never a key. */
export const ExecutionDetailSchema = ExecutionSchema.extend({
  attempt_list: z.array(AttemptSchema),
  input: z.unknown(),
  output: z.string().nullable(),
  /** The change as the provider gave it. */
  patch_data: z.string().nullable(),
  decision: DecisionSchema.nullable(),
  hil_request_id: z.string().nullable(),
});
export type ExecutionDetail = z.infer<typeof ExecutionDetailSchema>;

/** `POST /api/ai/assign`. */
export const AssignProviderSchema = z.object({
  taskId: TaskIdSchema,
  preferredProvider: ProviderNameSchema.optional(),
});
/** `POST /api/ai/execute`. */
export const ExecuteTaskSchema = z.object({
  taskId: TaskIdSchema,
  /** Asked for twice, it is one execution. Minted where absent. It is its Workflow instance's id, and begins its batches'. */
  executionId: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/)
    .optional(),
  provider: ProviderNameSchema.optional(),
  /** The same task to all of them: the first batch that passes is applied. */
  race: z.array(ProviderNameSchema).min(2).max(4).optional(),
  instructions: z.string().max(100_000).optional(),
  /** A plan of Jules' is shown to a person before it works. */
  approvePlan: z.boolean().default(false),
  maxCostUsd: z.number().positive().optional(),
  timeoutMs: z.number().int().min(1_000).max(7_200_000).optional(),
});
export type ExecuteTaskInput = z.input<typeof ExecuteTaskSchema>;

/** A message of the queue `ai-provider-tasks`. It holds no secret: whoever runs it looks them up. */
export const ProviderTaskMessageSchema = z.object({
  task_id: TaskIdSchema,
  provider: ProviderNameSchema,
  factory: FactoryNameSchema,
  execution_id: z.string(),
});
export type ProviderTaskMessage = z.infer<typeof ProviderTaskMessageSchema>;

/** A message that could not be worked off, as `ai-provider-tasks-dlq` left it. */
export const DeadLetterSchema = z.object({
  id: z.string(),
  queue: z.string(),
  message: z.unknown(),
  execution_id: z.string().nullable(),
  reason: z.string().nullable(),
  attempts: count,
  status: z.enum(["dead", "redriven", "discarded"]),
  created_at: timestamp,
  redriven_at: timestamp.nullable(),
});
export type DeadLetter = z.infer<typeof DeadLetterSchema>;

export const HilRequestSchema = z.object({
  id: z.string(),
  kind: z.enum(["clarification", "plan-approval", "failure"]),
  status: z.enum(["open", "answered", "expired", "cancelled"]),
  order_id: OrderIdSchema.nullable(),
  task_uuid: TaskIdSchema.nullable(),
  execution_id: z.string().nullable(),
  question: z.string(),
  options: z.array(z.string()),
  answer: z.string().nullable(),
  answered_by: z.string().nullable(),
  created_at: timestamp,
  answered_at: timestamp.nullable(),
  expires_at: timestamp,
});
export type HilRequest = z.infer<typeof HilRequestSchema>;
/** `POST /api/hil/:id/response`: decided once; a second answer is CONFLICT. */
export const AnswerHilSchema = z.object({ answer: z.string().min(1).max(20_000) });

/** A patch as an AI provider is asked to write it. */
export const AIPatchSchema = z.object({
  task_id: z.string(),
  file: z.string().min(1),
  operation: z.enum(["replace-block", "insert-before", "insert-after", "append"]),
  start: z.number().int().positive().optional(),
  end: z.number().int().positive().optional(),
  line: z.number().int().nonnegative().optional(),
  block: z.string(),
  metadata: z.object({
    provider: z.string(),
    confidence: z.number().min(0).max(1).optional(),
    model: z.string().optional(),
  }),
});
export type AIPatch = z.infer<typeof AIPatchSchema>;

/** How a project's or an order's tasks are routed. */
export const RoutingSchema = z.object({
  preferredModel: z.string().max(200).nullable().default(null),
  cost_profile: CostProfileSchema.default("balanced"),
  priority: PrioritySchema.default("normal"),
  /** Manual override. */
  provider: ProviderNameSchema.nullable().default(null),
  maxCostUsd: z.number().positive().nullable().default(null),
  projectId: ProjectIdSchema.nullable().default(null),
});
export type Routing = z.infer<typeof RoutingSchema>;
