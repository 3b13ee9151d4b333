import { z } from "zod";
import { HeadSchema } from "./outcome.ts";
import { OrderIdSchema, Sha256Schema, TaskIdSchema } from "./ids.ts";

/**
 * The protocol between the orchestrator and an engine host about runs of CLI agents (`/v1/workspaces/:id/agent-runs`).
 *
 * `POST …/agent-runs` starts the run, or answers with the one of that `runId`: a run is never started twice.
 * `GET …/agent-runs/:runId` answers with `AgentRunInfo`; `GET …/agent-runs/:runId/events?after=SEQ&waitMs=MS` streams
 * `AgentRunEvent` as NDJSON, from a place in the run on, and ends with the run, after `waitMs`, or with
 * about 1 MiB: who wants more asks again.
 * `DELETE …/agent-runs/:runId` ends it; it answers with the info of the ended run.
 */

export const CLI_PROVIDERS = ["codex", "gemini", "claude", "cursor", "copilot"] as const;
export const CliProviderSchema = z.enum(CLI_PROVIDERS);
export type CliProvider = z.infer<typeof CliProviderSchema>;

/**
 * How a provider's work ended, before its change is applied. Success is a change; an exit code says nothing.
 * - `change`: there is a diff that may be applied
 * - `empty-diff`: it ended well and changed nothing
 * - `diff-refused`: it changed what no patch may: a symlink, a binary file, more than the bounds
 * - `rate-limited`, `quota`, `auth`, `provider-error`: what the provider's service said (429; exhausted; 401 or 403; 5xx or nothing)
 * - `agent-error`: the agent itself failed
 * - `timeout`, `output-limit`, `disk-limit`, `memory-limit`, `cpu-limit`, `process-limit`: a bound of the run
 * - `key-printed`: a secret of the run stood in its output or its diff
 * - `not-installed`: the host has no such program
 * - `cancelled`: it was told to end
 * - `host-lost`: the host died under it, or does not know it any more
 */
export const RUN_CLASSES = [
  "change",
  "empty-diff",
  "diff-refused",
  "rate-limited",
  "quota",
  "auth",
  "provider-error",
  "agent-error",
  "timeout",
  "output-limit",
  "disk-limit",
  "memory-limit",
  "cpu-limit",
  "process-limit",
  "key-printed",
  "not-installed",
  "cancelled",
  "host-lost",
] as const;
export const RunClassSchema = z.enum(RUN_CLASSES);
export type RunClass = z.infer<typeof RunClassSchema>;

/** What one run may take. Times in milliseconds, sizes in bytes. */
export const RunLimitsSchema = z.object({
  timeoutMs: z.number().int().min(1_000).max(7_200_000).default(1_800_000),
  cpuSeconds: z.number().int().positive().max(7_200).default(1_800),
  /** Resident memory of all its processes together. */
  memoryBytes: z.number().int().positive().default(2_147_483_648),
  /** What it may write to its worktree and home. */
  diskBytes: z.number().int().positive().default(536_870_912),
  /** Of stdout and stderr together. */
  outputBytes: z.number().int().positive().default(16_777_216),
  /** Of the diff. */
  diffBytes: z.number().int().positive().max(8_388_608).default(4_194_304),
  processes: z.number().int().positive().default(256),
});
export type RunLimits = z.infer<typeof RunLimitsSchema>;

/** Tokens and money as the provider counted them; null where it did not say. */
export const UsageSchema = z.object({
  inputTokens: z.number().int().nonnegative().nullable(),
  outputTokens: z.number().int().nonnegative().nullable(),
  cachedTokens: z.number().int().nonnegative().nullable(),
  costUsd: z.number().nonnegative().nullable(),
});
export type Usage = z.infer<typeof UsageSchema>;
export const NO_USAGE: Usage = { inputTokens: null, outputTokens: null, cachedTokens: null, costUsd: null };

export const AgentRunRequestSchema = z.object({
  /** Chosen by the caller: asked for twice, it is one run. */
  runId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  provider: CliProviderSchema,
  /** Absent: the program's own default. */
  model: z.string().min(1).max(200).nullable().default(null),
  prompt: z.string().min(1).max(200_000),
  orderId: OrderIdSchema.nullable().default(null),
  taskId: TaskIdSchema.nullable().default(null),
  /** The provider's key. It stands in the run's environment alone: in no file, log, event or answer. */
  apiKey: z.string().min(1).max(8_192),
  /** Further secrets that must never be told: by value. */
  redact: z.array(z.string().min(8)).max(50).default([]),
  /** Where the provider's service answers, where it is not the vendor's own. */
  endpoint: z.url().nullable().default(null),
  /** What the run starts from; another head is refused with HEAD_MISMATCH. Absent: as it stands. */
  expectedHead: HeadSchema.optional(),
  /** What the run may cost by the program's own count, in US dollars, where the program can be told (Claude). */
  maxCostUsd: z.number().positive().nullable().default(null),
  limits: RunLimitsSchema.prefault({}),
});
export type AgentRunRequest = z.infer<typeof AgentRunRequestSchema>;
export type AgentRunRequestInput = z.input<typeof AgentRunRequestSchema>;

export const AgentRunResultSchema = z.object({
  class: RunClassSchema,
  /** One line for people: what happened, without secrets. */
  message: z.string(),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** How long the provider asked to be left alone. */
  retryAfterMs: z.number().int().nonnegative().nullable(),
  /** Of class `change` alone: a git diff against the run's base, as `apply-diff` takes it. */
  diff: z.string().nullable(),
  files: z.array(z.object({ path: z.string(), linesAdded: z.number().int(), linesRemoved: z.number().int() })),
  /** What the agent said last. */
  summary: z.string().nullable(),
  usage: UsageSchema,
  durationMs: z.number().nonnegative(),
  outputBytes: z.number().int().nonnegative(),
  /** Batches it made through the engine that was offered to it; they are part of the diff. */
  engineBatches: z.number().int().nonnegative(),
});
export type AgentRunResult = z.infer<typeof AgentRunResultSchema>;

export const AGENT_RUN_STATES = ["preparing", "running", "collecting", "ended"] as const;
export const AgentRunInfoSchema = z.object({
  runId: z.string(),
  workspaceId: z.string(),
  provider: CliProviderSchema,
  model: z.string().nullable(),
  taskId: z.string().nullable(),
  orderId: z.string().nullable(),
  state: z.enum(AGENT_RUN_STATES),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  /** What the agent worked on: the workspace's head and tree, and the commit made of it (the same tree, the same commit). */
  base: z.object({ head: HeadSchema, treeHash: Sha256Schema, commit: z.string() }).nullable(),
  /** What `--version` says. */
  cliVersion: z.string().nullable(),
  /** The last event there is. */
  seq: z.number().int().nonnegative(),
  result: AgentRunResultSchema.nullable(),
});
export type AgentRunInfo = z.infer<typeof AgentRunInfoSchema>;

/** One step of a run, redacted. `seq` counts from 1. */
export const AgentRunEventSchema = z.discriminatedUnion("type", [
  z.object({
    seq: z.number().int().positive(),
    ts: z.string(),
    type: z.literal("state"),
    state: z.enum(AGENT_RUN_STATES),
  }),
  z.object({
    seq: z.number().int().positive(),
    ts: z.string(),
    type: z.literal("terminal_output"),
    stream: z.enum(["stdout", "stderr"]),
    text: z.string(),
  }),
  z.object({
    seq: z.number().int().positive(),
    ts: z.string(),
    type: z.literal("command_executing"),
    command: z.string(),
  }),
  z.object({
    seq: z.number().int().positive(),
    ts: z.string(),
    type: z.enum(["command_executed", "command_execution_failed"]),
    command: z.string(),
    exitCode: z.number().int().nullable(),
  }),
  /** What the agent says. */
  z.object({
    seq: z.number().int().positive(),
    ts: z.string(),
    type: z.literal("conversation_response"),
    text: z.string(),
  }),
]);
export type AgentRunEvent = z.infer<typeof AgentRunEventSchema>;
