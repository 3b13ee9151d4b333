import { ReplayFileSchema, ReplaySchema, ReplayTreeSchema } from "@shared/contracts";
import type {
  AlertDelivery,
  AlertSeverity,
  ApplyResult,
  ChangeHealthSchedule,
  CreateHealthScheduleSchema,
  ChangeWebhookSchema,
  CreateWebhookSchema,
  CreateOrder,
  CreateOrderSchema,
  CreateProjectSchema,
  CreateTaskSchema,
  FulfilPhaseInput,
  HeartbeatSchema,
  OpenWorkspaceInput,
  OrderStatus,
  PatchBatchInput,
  PatchEvent,
  RevertTarget,
  Scope,
  StartHealthCheck,
  StatsQuery,
  TaskStatus,
  TrendsQuery,
} from "@shared/contracts";
import type { z } from "zod";
import {
  AgentsAnswerSchema,
  AnyAnswerSchema,
  ApplyAnswerSchema,
  ChecksAnswerSchema,
  DiffAnswerSchema,
  GeneratedAnswerSchema,
  HealthCheckAnswerSchema,
  HealthCheckDetailAnswerSchema,
  HealthChecksAnswerSchema,
  HealthScheduleAnswerSchema,
  HealthSchedulesAnswerSchema,
  HealthSummaryAnswerSchema,
  HeartbeatAnswerSchema,
  LatestHealthAnswerSchema,
  LogsAnswerSchema,
  OperationLogsAnswerSchema,
  SchedulesAnswerSchema,
  AlertsAnswerSchema,
  AlertAnswerSchema,
  WebhooksAnswerSchema,
  WebhookAnswerSchema,
  WebhookMadeAnswerSchema,
  WebhookDeletedAnswerSchema,
  DeliveriesAnswerSchema,
  DeliveryAnswerSchema,
  NothingSchema,
  HilAnswerSchema,
  OpsAnswerSchema,
  OrderAnswerSchema,
  OrderPullRequestsAnswerSchema,
  OrdersAnswerSchema,
  OrderStatusAnswerSchema,
  PatchAnswerSchema,
  PhasesAnswerSchema,
  PipelineAnswerSchema,
  ProjectAnswerSchema,
  ProjectsAnswerSchema,
  RecordedAnswerSchema,
  RefusalSchema,
  ReportAnswerSchema,
  ReportsAnswerSchema,
  SessionAnswerSchema,
  SessionsAnswerSchema,
  TaskAnswerSchema,
  TasksAnswerSchema,
  TicketAnswerSchema,
  TokenAnswerSchema,
  TokenMadeAnswerSchema,
  TokensAnswerSchema,
  WhoAnswerSchema,
  StatsAnswerSchema,
  TrendsAnswerSchema,
  WorkersHealthAnswerSchema,
  WorkspaceAnswerSchema,
} from "./answers.ts";
import { aiClient } from "./aiClient.ts";
import { opsClient } from "./opsClient.ts";
import { readCustody } from "./readCustody.ts";
import { at, type CallOptions, type ClientOptions, type Get, type ListQuery, request, type Send } from "./request.ts";

export type Client = ReturnType<typeof createClient>;

/** Narrows the patch log; names as on the wire. */
export interface LogQuery {
  task_id?: string;
  file?: string;
  search?: string;
  /** With `search`: all events of the patches found, not those alone that have the text. */
  lives?: "true";
  order_id?: string;
  requester?: string;
  op?: string;
  /** Whoever asked for the patch first; its later events may be by others. */
  factory?: string;
  event_type?: string;
  from?: string;
  to?: string;
  limit?: number;
  offset?: number;
  cursor?: string;
  order?: "asc" | "desc";
}

/** Narrows the operation log; names as on the wire. */
export interface OperationLogQuery {
  source?: string;
  operation?: string;
  /** One level, or several with commas between. */
  level?: string;
  outcome?: string;
  order_id?: string;
  task_id?: string;
  patch_id?: string;
  request_id?: string;
  search?: string;
  from?: string;
  to?: string;
  limit?: number;
  cursor?: string;
  /** What came after the row of this id, oldest first. */
  after?: number;
}

/** The REST API, typed: every answer is parsed with the contracts' schemas, every refusal is a value. */
export function createClient(options: ClientOptions) {
  const get: Get = (path, answer, query = {}, call = {}) =>
    request(options, { method: "GET", path, answer, query, ...call });
  const send: Send = (method, path, answer, body, call = {}) =>
    request(options, { method, path, answer, body, ...call });

  const apply = async (path: string, body: unknown, call?: CallOptions): Promise<ApplyResult> => {
    const answered = await send("POST", path, ApplyAnswerSchema, body, call);
    if (answered.ok) return answered;
    const refusal = RefusalSchema.safeParse(answered.body);
    return { ok: false, error: answered.error, ...(refusal.success ? refusal.data : {}) };
  };

  return {
    health: (call?: CallOptions) => get("/api/health", AnyAnswerSchema, {}, call),
    auth: {
      /** Trades a token for the browser's session cookie. */
      signIn: (token: string, call?: CallOptions) =>
        send("POST", "/api/auth/session", SessionAnswerSchema, { token }, call),
      signOut: (call?: CallOptions) => send("DELETE", "/api/auth/session", NothingSchema, undefined, call),
      /** Who is asking and what they may do; UNAUTHENTICATED where nobody is signed in. */
      who: (call?: CallOptions) => get("/api/auth/session", WhoAnswerSchema, {}, call),
      sessions: (query: ListQuery = {}, call?: CallOptions) =>
        get("/api/auth/sessions", SessionsAnswerSchema, { ...query }, call),
      endSession: (id: string, call?: CallOptions) =>
        send("DELETE", at("auth", "sessions", id), SessionAnswerSchema, undefined, call),
      tokens: (query: ListQuery = {}, call?: CallOptions) =>
        get("/api/auth/tokens", TokensAnswerSchema, { ...query }, call),
      /** `token` is told this once. `expiresInSeconds` null: until it is revoked; default: 90 days. */
      createToken: (
        input: {
          name: string;
          scopes: Scope[];
          requesters?: string[] | null;
          workspaceId?: string | null;
          expiresInSeconds?: number | null;
        },
        call?: CallOptions,
      ) => send("POST", "/api/auth/tokens", TokenMadeAnswerSchema, input, call),
      revokeToken: (id: string, call?: CallOptions) =>
        send("DELETE", at("auth", "tokens", id), TokenAnswerSchema, undefined, call),
      /** For one socket in this room, within 30 s: `HubClient`'s `ticket`. */
      ticket: (room: string, call?: CallOptions) =>
        send("POST", "/api/auth/ws-ticket", TicketAnswerSchema, { room }, call),
    },
    projects: {
      create: (project: z.input<typeof CreateProjectSchema>, call?: CallOptions) =>
        send("POST", "/api/projects", ProjectAnswerSchema, project, call),
      get: (id: string, call?: CallOptions) => get(at("projects", id), ProjectAnswerSchema, {}, call),
      list: (query: ListQuery = {}, call?: CallOptions) =>
        get("/api/projects", ProjectsAnswerSchema, { ...query }, call),
    },
    orders: {
      /** Taking the same order twice changes nothing. */
      create: (order: z.input<typeof CreateOrderSchema>, call?: CallOptions) =>
        send("POST", "/api/orders", OrderAnswerSchema, order, call),
      get: (id: string, call?: CallOptions) => get(at("orders", id), OrderAnswerSchema, {}, call),
      list: (
        query: ListQuery & { status?: OrderStatus; project_id?: string; factory?: CreateOrder["factory"] } = {},
        call?: CallOptions,
      ) => get("/api/orders", OrdersAnswerSchema, { ...query }, call),
      setStatus: (id: string, status: OrderStatus, reason = "", call?: CallOptions) =>
        send("PATCH", at("orders", id), OrderStatusAnswerSchema, { status, reason }, call),
      /** On GitHub, the newest first, with what the checks of their newest commit came to. */
      pullRequests: (id: string, call?: CallOptions) =>
        get(at("orders", id, "pull-requests"), OrderPullRequestsAnswerSchema, {}, call),
      /** Hands a phase to the order's factory; answers with what became of its batch. */
      fulfilPhase: ({ orderId, ...phase }: FulfilPhaseInput, call?: CallOptions) =>
        apply(at("orders", orderId, "phases"), phase, call),
      /** What was told of an order's phases, the newest first, as links of their chains. */
      phases: (id: string, query: ListQuery = {}, call?: CallOptions) =>
        get(at("orders", id, "phases"), PhasesAnswerSchema, { ...query }, call),
    },
    replay: {
      /** An order's batches, oldest first, with the tree each left; `after` is the last page's `next`. */
      batches: (orderId: string, query: { after?: number; limit?: number } = {}, call?: CallOptions) =>
        get(at("orders", orderId, "replay"), ReplaySchema, { ...query }, call),
      /** The files as they were after entry `seq` of the log, 0 being the source. */
      tree: (orderId: string, seq: number, query: { after?: string } = {}, call?: CallOptions) =>
        get(at("orders", orderId, "replay", String(seq), "tree"), ReplayTreeSchema, { ...query }, call),
      file: (orderId: string, seq: number, path: string, call?: CallOptions) =>
        get(at("orders", orderId, "replay", String(seq), "files", ...path.split("/")), ReplayFileSchema, {}, call),
    },
    tasks: {
      create: (task: z.input<typeof CreateTaskSchema>, call?: CallOptions) =>
        send("POST", "/api/tasks", TaskAnswerSchema, task, call),
      get: (id: string, call?: CallOptions) => get(at("tasks", id), TaskAnswerSchema, {}, call),
      list: (query: ListQuery & { order_id?: string; status?: TaskStatus } = {}, call?: CallOptions) =>
        get("/api/tasks", TasksAnswerSchema, { ...query }, call),
    },
    workspaces: {
      open: (input: OpenWorkspaceInput, call?: CallOptions) =>
        send("POST", "/api/workspaces", WorkspaceAnswerSchema, input, call),
      get: (id: string, call?: CallOptions) => get(at("workspaces", id), WorkspaceAnswerSchema, {}, call),
    },
    patches: {
      apply: (batch: PatchBatchInput, call?: CallOptions) => apply("/api/patches/apply", batch, call),
      simulate: (batch: PatchBatchInput, call?: CallOptions) => apply("/api/patches/simulate", batch, call),
      validate: (input: { workspaceId?: string; batchId: string }, call?: CallOptions) =>
        send("POST", "/api/patches/validate", ChecksAnswerSchema, input, call),
      revert: (
        input: {
          workspaceId?: string;
          orderId?: string;
          target: RevertTarget;
          batchId?: string;
          requester?: string;
          reason?: string;
        },
        call?: CallOptions,
      ) => apply("/api/patches/revert", input, call),
      get: (id: string, call?: CallOptions) => get(at("patches", id), PatchAnswerSchema, {}, call),
      logs: (query: LogQuery = {}, call?: CallOptions) =>
        get("/api/patches/logs", LogsAnswerSchema, { ...query }, call),
      /** Counts, shares and durations of a range of days; default: the last seven. */
      stats: (query: Omit<StatsQuery, "format"> = {}, call?: CallOptions) =>
        get("/api/patches/stats", StatsAnswerSchema, { ...query }, call),
      /** How patches went by week, day, phase, order or provider; default: the last thirty days by week. */
      trends: (query: Omit<TrendsQuery, "format" | "limit"> & { limit?: number } = {}, call?: CallOptions) =>
        get("/api/patches/trends", TrendsAnswerSchema, { ...query }, call),
      /** The patch as a unified diff. */
      diff: (id: string, call?: CallOptions) => get(at("patches", id, "diff"), DiffAnswerSchema, {}, call),
      /** Whether the workspace's custody chain holds, link by link. */
      verify: (workspaceId: string, call?: CallOptions) =>
        get("/api/patches/verify", AnyAnswerSchema, { workspaceId }, call),
    },
    delivery: {
      /** The current reports, the newest first. */
      reports: (query: ListQuery = {}, call?: CallOptions) =>
        get("/api/delivery/reports", ReportsAnswerSchema, { ...query }, call),
      report: (orderId: string, query: { version?: number } = {}, call?: CallOptions) =>
        get("/api/delivery/reports", ReportAnswerSchema, { order_id: orderId, ...query }, call),
      /** One order's report, or those of all orders that have moved on since their last. */
      generate: (input: { orderId?: string } = {}, call?: CallOptions) =>
        send("POST", "/api/delivery/reports", GeneratedAnswerSchema, input, call),
    },
    logs: {
      /** What the house did, newest first; with `after` a tail, whose next `after` is the answer's `last`. */
      list: (query: OperationLogQuery = {}, call?: CallOptions) =>
        get("/api/logs", OperationLogsAnswerSchema, { ...query }, call),
      /** The table of schedules with what became of each line's last run. */
      schedules: (call?: CallOptions) => get("/api/schedules", SchedulesAnswerSchema, {}, call),
    },
    alerts: {
      list: (
        query: ListQuery & { status?: "open" | "resolved"; kind?: string; severity?: AlertSeverity } = {},
        call?: CallOptions,
      ) => get("/api/alerts", AlertsAnswerSchema, { ...query }, call),
      resolve: (id: string, call?: CallOptions) =>
        send("POST", at("alerts", id, "resolve"), AlertAnswerSchema, undefined, call),
      webhooks: (query: ListQuery = {}, call?: CallOptions) =>
        get("/api/alerts/webhooks", WebhooksAnswerSchema, { ...query }, call),
      /** `secret` is told this once. */
      createWebhook: (input: z.input<typeof CreateWebhookSchema>, call?: CallOptions) =>
        send("POST", "/api/alerts/webhooks", WebhookMadeAnswerSchema, input, call),
      changeWebhook: (id: string, change: z.input<typeof ChangeWebhookSchema>, call?: CallOptions) =>
        send("PATCH", at("alerts", "webhooks", id), WebhookAnswerSchema, change, call),
      deleteWebhook: (id: string, call?: CallOptions) =>
        send("DELETE", at("alerts", "webhooks", id), WebhookDeletedAnswerSchema, undefined, call),
      /** `secret` is told this once; the one before signs beside it for a day. */
      rotateSecret: (id: string, call?: CallOptions) =>
        send("POST", at("alerts", "webhooks", id, "rotate"), WebhookMadeAnswerSchema, undefined, call),
      testWebhook: (id: string, call?: CallOptions) =>
        send("POST", at("alerts", "webhooks", id, "test"), DeliveryAnswerSchema, undefined, call),
      deliveries: (id: string, query: ListQuery & { status?: AlertDelivery["status"] } = {}, call?: CallOptions) =>
        get(at("alerts", "webhooks", id, "deliveries"), DeliveriesAnswerSchema, { ...query }, call),
      resend: (id: string, call?: CallOptions) =>
        send("POST", at("alerts", "deliveries", id, "resend"), DeliveryAnswerSchema, undefined, call),
    },
    custody: {
      /** The links of all chains an order's events stand in, as they were hashed, one a line, while they come in. */
      lines: (orderId: string) => readCustody(options, orderId),
    },
    ...aiClient(get, send),
    ...opsClient(get, send),
    /** Checks of Workers' health, how each stands, and when they are checked. `health` above asks this Worker alone. */
    healthChecks: {
      /** Default: all Workers, and the profiles that are the default. At most ten a minute. */
      start: (input: StartHealthCheck = {}, call?: CallOptions) =>
        send("POST", "/api/health/checks", HealthCheckAnswerSchema, input, call),
      list: (query: ListQuery & { status?: string; trigger?: string; worker?: string } = {}, call?: CallOptions) =>
        get("/api/health/checks", HealthChecksAnswerSchema, { ...query }, call),
      get: (uuid: string, call?: CallOptions) =>
        get(at("health", "checks", uuid), HealthCheckDetailAnswerSchema, {}, call),
      workers: (call?: CallOptions) => get("/api/health/workers", WorkersHealthAnswerSchema, {}, call),
      /** How a Worker stands, and its latest check with its attempts. */
      latest: (worker: string, call?: CallOptions) =>
        get(at("health", "workers", worker, "latest"), LatestHealthAnswerSchema, {}, call),
      summary: (query: { days?: number } = {}, call?: CallOptions) =>
        get("/api/health/summary", HealthSummaryAnswerSchema, { ...query }, call),
      schedules: (query: ListQuery = {}, call?: CallOptions) =>
        get("/api/health/schedules", HealthSchedulesAnswerSchema, { ...query }, call),
      createSchedule: (schedule: z.input<typeof CreateHealthScheduleSchema>, call?: CallOptions) =>
        send("POST", "/api/health/schedules", HealthScheduleAnswerSchema, schedule, call),
      changeSchedule: (id: string, change: ChangeHealthSchedule, call?: CallOptions) =>
        send("PATCH", at("health", "schedules", id), HealthScheduleAnswerSchema, change, call),
      deleteSchedule: (id: string, call?: CallOptions) =>
        send("DELETE", at("health", "schedules", id), NothingSchema, undefined, call),
      heartbeat: (beat: z.input<typeof HeartbeatSchema>, call?: CallOptions) =>
        send("POST", "/api/health/heartbeats", HeartbeatAnswerSchema, beat, call),
    },
    /** What goes on at the moment; parts that nothing fills yet say so. */
    telemetry: {
      pipeline: (call?: CallOptions) => get("/api/telemetry/pipeline", PipelineAnswerSchema, {}, call),
      agents: (call?: CallOptions) => get("/api/telemetry/agents", AgentsAnswerSchema, {}, call),
      ops: (call?: CallOptions) => get("/api/telemetry/ops", OpsAnswerSchema, {}, call),
      hil: (call?: CallOptions) => get("/api/telemetry/hil", HilAnswerSchema, {}, call),
    },
    events: {
      /** Records events of an engine that stood alone; known ones change nothing. */
      record: (input: { workspaceId?: string; orderId?: string; events: PatchEvent[] }, call?: CallOptions) =>
        send("POST", "/api/patches/events", RecordedAnswerSchema, input, call),
    },
  };
}
