import { z } from "zod";
import type { Result } from "./errors.ts";

/**
 * Health of Workers: what a check asks of a Worker, what the Worker answers at the orchestrator's callback, and what is
 * kept of it. docs/health.md describes the way of a check.
 */

/** The doors of every Worker. No session counts at them: each request is signed, or comes by a binding. */
export const HEALTH_CHECK_PATHS = {
  execute: "/health-check/execute",
  status: "/health-check/status",
  quick: "/health-check/quick",
  result: "/health-check/result",
} as const;

/** Seconds since 1970, in decimal; and `sha256=` with the HMAC-SHA256 of `<timestamp>.<METHOD> <path?query>.<body>` in hex. */
export const HEALTH_TIMESTAMP_HEADER = "x-vibehq-timestamp";
export const HEALTH_SIGNATURE_HEADER = "x-vibehq-signature";

export const HEALTH_DEFAULTS = { timeoutMs: 30_000, maxRetries: 2, minDelayMs: 1_000, maxDelayMs: 10_000 } as const;
/** So many checks in a row change what a Worker counts as. */
export const HEALTH_THRESHOLDS = { down: 3, up: 2 } as const;
export const MAX_HEALTH_RESULT_BYTES = 64 * 1024;
export const MAX_HEALTH_PAGE = 100;

export const WorkerNameSchema = z
  .string()
  .max(63)
  .regex(/^[a-z0-9][a-z0-9-]*$/, "a Worker's name: lower-case letters, digits and hyphens");
export const WorkerTypeSchema = z.enum(["orchestrator", "factory", "api", "specialist"]);
export type WorkerType = z.infer<typeof WorkerTypeSchema>;

/** What a Worker can be tested for. `heartbeat` is a container's, and no Worker is asked for it. */
export const HEALTH_PROFILES = ["identity", "bindings", "database", "engine", "template", "canary"] as const;
export const HealthProfileSchema = z.enum(HEALTH_PROFILES);
export type HealthProfile = z.infer<typeof HealthProfileSchema>;
export const DEFAULT_HEALTH_PROFILES: readonly HealthProfile[] = ["identity", "bindings", "database", "engine"];

/** What a check finds wrong. The first three lines are found by the Worker, the fourth by who asks it. */
export const HealthFaultSchema = z.enum([
  "IDENTITY_WRONG",
  "BINDING_MISSING",
  "BINDING_FAILED",
  "BINDING_TIMEOUT",
  "DATABASE_FAILED",
  "ENGINE_FAILED",
  "TEMPLATE_FAILED",
  "CANARY_FAILED",
  "CANARY_NOT_REVERTED",
  "PROFILE_TIMEOUT",
  "PROFILE_THREW",
  "WORKER_UNBOUND",
  "WORKER_UNREACHABLE",
  "WORKER_TIMEOUT",
  "WORKER_REFUSED",
  "WORKER_SILENT",
  "HEARTBEAT_MISSED",
]);
export type HealthFault = z.infer<typeof HealthFaultSchema>;

/** What can not be mended by asking again. */
export const PERMANENT_FAULTS: ReadonlySet<HealthFault> = new Set<HealthFault>([
  "IDENTITY_WRONG",
  "BINDING_MISSING",
  "TEMPLATE_FAILED",
  "CANARY_NOT_REVERTED",
  "WORKER_UNBOUND",
  "WORKER_REFUSED",
]);

const milliseconds = z.number().int().nonnegative();
const message = z.string().max(500).nullable();

export const WorkerVersionSchema = z.object({
  id: z.string().max(100),
  tag: z.string().max(100),
  timestamp: z.string().max(40),
});
export type WorkerVersion = z.infer<typeof WorkerVersionSchema>;

export const ExecuteHealthCheckSchema = z.object({
  worker_check_uuid: z.uuid(),
  worker: WorkerNameSchema,
  profiles: z.array(HealthProfileSchema).min(1).max(HEALTH_PROFILES.length),
  /** For one attempt of all profiles. */
  timeout_ms: z.number().int().min(100).max(30_000).default(HEALTH_DEFAULTS.timeoutMs),
  max_retries: z.number().int().min(0).max(5).default(HEALTH_DEFAULTS.maxRetries),
  /** The orchestrator's own; a Worker answers nowhere else. */
  callback_url: z.url().max(500),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
export type ExecuteHealthCheck = z.infer<typeof ExecuteHealthCheckSchema>;

/** One part of a profile: a binding, a database, a step. */
export const HealthDetailSchema = z.object({
  name: z.string().max(100),
  ok: z.boolean(),
  code: HealthFaultSchema.nullable(),
  message,
  duration_ms: milliseconds,
});
export type HealthDetail = z.infer<typeof HealthDetailSchema>;

export const ProfileResultSchema = z.object({
  profile: z.string().max(40),
  status: z.enum(["passed", "failed", "skipped"]),
  code: HealthFaultSchema.nullable(),
  message,
  details: z.array(HealthDetailSchema).max(40),
  /** In which attempt it came to this. */
  attempt: z.number().int().positive(),
  duration_ms: milliseconds,
});
export type ProfileResult = z.infer<typeof ProfileResultSchema>;

export const HealthAttemptSchema = z.object({
  attempt: z.number().int().positive(),
  status: z.enum(["passed", "failed", "timed_out"]),
  code: HealthFaultSchema.nullable(),
  message,
  started_at: z.iso.datetime(),
  duration_ms: milliseconds,
  /** How long was waited before it. */
  waited_ms: milliseconds,
});
export type HealthAttempt = z.infer<typeof HealthAttemptSchema>;

/** What a Worker sends to the callback. */
export const HealthResultSchema = z.object({
  worker_check_uuid: z.uuid(),
  worker: WorkerNameSchema,
  worker_type: WorkerTypeSchema.nullable(),
  version: WorkerVersionSchema.nullable(),
  nonce: z.string().max(100),
  status: z.enum(["passed", "failed"]),
  attempts: z.array(HealthAttemptSchema).min(1).max(6),
  results: z.array(ProfileResultSchema).max(HEALTH_PROFILES.length),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  duration_ms: milliseconds,
});
export type HealthResult = z.infer<typeof HealthResultSchema>;

export const HealthQuickSchema = z.object({
  worker: z.string(),
  worker_type: z.string().nullable(),
  version: WorkerVersionSchema.nullable(),
  ts: z.string(),
});
export type HealthQuick = z.infer<typeof HealthQuickSchema>;

/** What one isolate of a Worker knows of its checks; the record is the orchestrator's. */
export const HealthStatusSchema = HealthQuickSchema.extend({
  running: z.array(z.string()),
  last: z.object({ worker_check_uuid: z.string(), status: z.string(), finished_at: z.string() }).nullable(),
});
export type HealthStatus = z.infer<typeof HealthStatusSchema>;

/** The RPC side of a Worker's doors: entrypoint `HealthCheck`. */
export interface HealthCheckRpc {
  quick(): Promise<Result<{ quick: HealthQuick }>>;
  status(): Promise<Result<{ status: HealthStatus }>>;
  /** Runs the check, sends its result to the callback, and answers when that is done. */
  execute(input: unknown): Promise<Result<{ worker_check_uuid: string; delivered: boolean }>>;
  /** A result as this isolate still holds it. */
  result(input: unknown): Promise<Result<{ result: HealthResult }>>;
}

/* What is kept. */

export const HealthCheckStatusSchema = z.enum(["queued", "running", "passed", "failed", "timed_out"]);
export const WorkerCheckStatusSchema = z.enum(["pending", "passed", "failed", "timed_out"]);
export const HealthTriggerSchema = z.enum(["manual", "schedule", "rpc", "heartbeat"]);

export const WorkerCheckSchema = z.object({
  uuid: z.string(),
  check_uuid: z.string(),
  worker_name: z.string(),
  worker_type: z.string().nullable(),
  status: WorkerCheckStatusSchema,
  code: HealthFaultSchema.nullable(),
  message: z.string().nullable(),
  version: WorkerVersionSchema.nullable(),
  /** How the orchestrator came to the Worker. */
  dispatches: z.array(HealthAttemptSchema),
  /** How the Worker came to its result. */
  attempts: z.array(HealthAttemptSchema),
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  duration_ms: z.number().nullable(),
});
export type WorkerCheck = z.infer<typeof WorkerCheckSchema>;
export const WorkerCheckDetailSchema = WorkerCheckSchema.extend({ results: z.array(ProfileResultSchema) });
export type WorkerCheckDetail = z.infer<typeof WorkerCheckDetailSchema>;

export const HealthCheckSchema = z.object({
  uuid: z.string(),
  trigger_type: HealthTriggerSchema,
  schedule_id: z.string().nullable(),
  status: HealthCheckStatusSchema,
  workers: z.array(z.string()),
  profiles: z.array(z.string()),
  timeout_ms: z.number().int(),
  max_retries: z.number().int(),
  requested_by: z.string(),
  total_workers: z.number().int(),
  passed_workers: z.number().int(),
  failed_workers: z.number().int(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
});
export type HealthCheck = z.infer<typeof HealthCheckSchema>;
export const AiLogSchema = z.object({
  id: z.number().int(),
  model: z.string(),
  response: z.string().nullable(),
  error: z.string().nullable(),
  duration_ms: z.number().int(),
  created_at: z.string(),
});
export type AiLog = z.infer<typeof AiLogSchema>;
export const HealthCheckDetailSchema = HealthCheckSchema.extend({
  worker_checks: z.array(WorkerCheckDetailSchema),
  /** What a model said of it; people read it, nothing is decided by it. */
  ai_logs: z.array(AiLogSchema),
});
export type HealthCheckDetail = z.infer<typeof HealthCheckDetailSchema>;

export const StartHealthCheckSchema = z.object({
  /** Default: all that HEALTH_WORKER_TARGETS names. */
  workers: z.array(WorkerNameSchema).min(1).max(50).optional(),
  /** Default: those of `test_profiles` that are. */
  profiles: z.array(HealthProfileSchema).min(1).max(HEALTH_PROFILES.length).optional(),
  timeout_ms: z.number().int().min(100).max(30_000).optional(),
  max_retries: z.number().int().min(0).max(5).optional(),
});
export type StartHealthCheck = z.infer<typeof StartHealthCheckSchema>;

export const WorkerStandingSchema = z.enum(["unknown", "up", "down"]);
export type WorkerStanding = z.infer<typeof WorkerStandingSchema>;

export const WorkerHealthSchema = z.object({
  worker_name: z.string(),
  kind: z.enum(["worker", "container"]),
  /** Whether HEALTH_WORKER_TARGETS still names it; a container is one as long as it is expected to beat. */
  target: z.boolean(),
  status: WorkerStandingSchema,
  flapping: z.boolean(),
  /** The latest outcomes, oldest first: P or F each. */
  recent: z.string(),
  changed_at: z.string().nullable(),
  heartbeat_at: z.string().nullable(),
  latest: WorkerCheckSchema.nullable(),
});
export type WorkerHealth = z.infer<typeof WorkerHealthSchema>;

export const TestProfileSchema = z.object({
  name: z.string(),
  description: z.string(),
  worker_types: z.array(z.string()),
  is_default: z.boolean(),
});
export type TestProfile = z.infer<typeof TestProfileSchema>;

export const HealthScheduleSchema = z.object({
  id: z.string(),
  name: z.string(),
  workers: z.array(z.string()).nullable(),
  profiles: z.array(z.string()).nullable(),
  every_minutes: z.number().int(),
  timeout_ms: z.number().int(),
  max_retries: z.number().int(),
  enabled: z.boolean(),
  next_run_at: z.string(),
  last_run_at: z.string().nullable(),
  last_check_uuid: z.string().nullable(),
  missed_runs: z.number().int(),
  stuck_runs: z.number().int(),
  created_by: z.string(),
  created_at: z.string(),
});
export type HealthSchedule = z.infer<typeof HealthScheduleSchema>;

const scheduleFields = {
  name: z.string().trim().min(1).max(100),
  workers: z.array(WorkerNameSchema).min(1).max(50).nullable(),
  profiles: z.array(HealthProfileSchema).min(1).max(HEALTH_PROFILES.length).nullable(),
  every_minutes: z.number().int().min(1).max(10_080),
  timeout_ms: z.number().int().min(100).max(30_000),
  max_retries: z.number().int().min(0).max(5),
  enabled: z.boolean(),
};
export const CreateHealthScheduleSchema = z.object({
  ...scheduleFields,
  workers: scheduleFields.workers.default(null),
  profiles: scheduleFields.profiles.default(null),
  timeout_ms: scheduleFields.timeout_ms.default(HEALTH_DEFAULTS.timeoutMs),
  max_retries: scheduleFields.max_retries.default(HEALTH_DEFAULTS.maxRetries),
  enabled: scheduleFields.enabled.default(true),
});
export const ChangeHealthScheduleSchema = z.object(scheduleFields).partial();
export type ChangeHealthSchedule = z.infer<typeof ChangeHealthScheduleSchema>;

export const HealthDaySchema = z.object({
  day: z.string(),
  checks: z.number().int(),
  passed: z.number().int(),
  failed: z.number().int(),
  timed_out: z.number().int(),
  /** Of one check on the mean, and the longest. */
  mean_duration_ms: z.number().int(),
  max_duration_ms: z.number().int(),
});
export type HealthDay = z.infer<typeof HealthDaySchema>;

export const HealthSummarySchema = z.object({
  ok: z.literal(true),
  ts: z.string(),
  from: z.string(),
  to: z.string(),
  totals: z.object({
    workers: z.number().int(),
    up: z.number().int(),
    down: z.number().int(),
    unknown: z.number().int(),
    flapping: z.number().int(),
  }),
  workers: z.array(
    z.object({
      worker_name: z.string(),
      /** Passed checks of all, in percent; null without any. */
      uptime: z.number().nullable(),
      days: z.array(HealthDaySchema),
    }),
  ),
  profiles: z.array(TestProfileSchema),
});
export type HealthSummary = z.infer<typeof HealthSummarySchema>;

export const HeartbeatSchema = z.object({
  /** Which container; one confined to a workspace is named by it, whatever it says. */
  container: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:%~-]*$/),
  /** The next one comes within so many seconds. Three times that without one is a missed one. */
  every_s: z.number().int().min(5).max(3600).default(30),
  /** Its last: it ends on purpose and is not expected any more. */
  ending: z.boolean().default(false),
  version: z.string().max(100).optional(),
  workspaces: z.number().int().nonnegative().optional(),
});
export type Heartbeat = z.infer<typeof HeartbeatSchema>;

export const ProbeSchema = z.object({
  profile: z.enum(["database", "engine", "template"]),
  /** Of `template`: the version of the Worker, so that each deployment's own is checked. */
  version: z.string().max(100).optional(),
});

/** What Workers ask of the orchestrator: binding ORCHESTRATOR_HEALTH. */
export interface HealthOpsRpc {
  /** The callback of a check, for who is bound. Refused as at `/health-check/result`. */
  submitResult(result: unknown): Promise<Result<{ status: string }>>;
  /** Looks at what only the orchestrator holds, on the caller's behalf. */
  probe(input: z.input<typeof ProbeSchema>): Promise<Result<{ details: HealthDetail[] }>>;
  executeHealthCheck(input?: StartHealthCheck): Promise<Result<{ check: HealthCheck }>>;
  getHealthCheck(uuid: string): Promise<Result<{ check: HealthCheckDetail }>>;
  getLatestWorkerHealth(worker: string): Promise<Result<{ worker: WorkerHealth; check: WorkerCheckDetail | null }>>;
  getSummary(input?: { days?: number }): Promise<Result<HealthSummary>>;
}
