import {
  ChangeHealthScheduleSchema,
  CreateHealthScheduleSchema,
  DeploymentSchema,
  HealthCheckDetailSchema,
  HealthCheckSchema,
  HealthScheduleSchema,
  HealthSummarySchema,
  HeartbeatSchema,
  MAX_HEALTH_PAGE,
  StartHealthCheckSchema,
  WorkerCheckDetailSchema,
  WorkerHealthSchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { inspectDeployment } from "../../services/deployment/inspectDeployment.ts";
import { checkHealth } from "../../services/health/checkHealth.ts";
import { heartbeat } from "../../services/health/heartbeat.ts";
import { getHealthCheck, ListHealthChecksSchema, listHealthChecks } from "../../services/health/readChecks.ts";
import {
  getHealthSummary,
  getLatestWorkerHealth,
  listWorkerHealth,
  SummaryQuerySchema,
} from "../../services/health/readWorkers.ts";
import {
  changeHealthSchedule,
  createHealthSchedule,
  deleteHealthSchedule,
  listHealthSchedules,
  ListHealthSchedulesSchema,
} from "../../services/health/schedules.ts";
import { startHealthCheck } from "../../services/health/startHealthCheck.ts";
import { API_VERSION } from "../openapi.ts";
import { type App, type NamedSchema, route } from "../route.ts";

const HealthSchema = z.object({
  ok: z.literal(true),
  status: z.enum(["healthy", "degraded"]),
  components: z.record(z.string(), z.object({ ok: z.boolean(), durationMs: z.number() })),
  version: z.string(),
  instance: z.string(),
  ts: z.string(),
});

const tag = "Health";
const MAX_BODY = 16 * 1024;
const answer = (name: string, shape: z.ZodRawShape): NamedSchema => ({
  name,
  schema: z.object({ ok: z.literal(true), ...shape }),
});
const CheckAnswer = answer("HealthCheckAnswer", { check: HealthCheckSchema });
const ScheduleAnswer = answer("HealthScheduleAnswer", { schedule: HealthScheduleSchema });

export function healthRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/health",
      scope: "public",
      tag,
      summary: "Whether every part answers",
      response: { name: "Health", schema: HealthSchema },
    },
    async (_, ctx) => Response.json(await checkHealth(ctx, API_VERSION)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/deployment",
      scope: "admin",
      tag,
      summary: "What was deployed, in names alone: bindings, variables and secrets that are set, migrations",
      response: { name: "Deployment", schema: DeploymentSchema },
    },
    async (c, ctx) => respond(c, await inspectDeployment(ctx, API_VERSION)),
  );
  checkRoutes(app);
  workerRoutes(app);
  scheduleRoutes(app);
}

function checkRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/health/checks",
      scope: "health:write",
      tag,
      summary: "Check Workers now: all targets and the default profiles, or the ones named",
      body: { name: "StartHealthCheck", schema: StartHealthCheckSchema },
      emptyBody: {},
      maxBodyBytes: MAX_BODY,
      status: 201,
      response: CheckAnswer,
    },
    async (c, ctx, { body }) => respond(c, await startHealthCheck(ctx, body), 201),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/health/checks",
      scope: "health:read",
      tag,
      summary: `The checks there were, newest first, at most ${MAX_HEALTH_PAGE} a page`,
      query: ListHealthChecksSchema,
      response: answer("HealthChecks", { checks: z.array(HealthCheckSchema), cursor: z.string().nullable() }),
    },
    async (c, ctx, { query }) => respond(c, await listHealthChecks(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/health/checks/{uuid}",
      scope: "health:read",
      tag,
      summary: "A check with what each Worker said, part by part",
      response: answer("HealthCheckDetailAnswer", { check: HealthCheckDetailSchema }),
    },
    async (c, ctx, { params }) => respond(c, await getHealthCheck(ctx, { uuid: params.uuid ?? "" })),
  );
}

function workerRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/health/workers",
      scope: "health:read",
      tag,
      summary: "How each Worker and container stands",
      response: answer("WorkersHealth", { workers: z.array(WorkerHealthSchema) }),
    },
    async (c, ctx) => respond(c, await listWorkerHealth(ctx)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/health/workers/{worker}/latest",
      scope: "health:read",
      tag,
      summary: "How a Worker stands, and its latest check with its attempts",
      response: answer("LatestWorkerHealth", { worker: WorkerHealthSchema, check: WorkerCheckDetailSchema.nullable() }),
    },
    async (c, ctx, { params }) => respond(c, await getLatestWorkerHealth(ctx, { worker: params.worker ?? "" })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/health/summary",
      scope: "health:read",
      tag,
      summary: "Each Worker's days: uptime, and how long its checks took",
      query: SummaryQuerySchema,
      response: { name: "HealthSummary", schema: HealthSummarySchema },
    },
    async (c, ctx, { query }) => respond(c, await getHealthSummary(ctx, query)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/health/heartbeats",
      scope: "events:write",
      tag,
      summary: "A container says that it is there",
      body: { name: "Heartbeat", schema: HeartbeatSchema },
      maxBodyBytes: MAX_BODY,
      response: answer("HeartbeatAnswer", { next_within_s: z.number().int() }),
    },
    async (c, ctx, { body }) => respond(c, await heartbeat(ctx, body)),
  );
}

function scheduleRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/health/schedules",
      scope: "health:read",
      tag,
      summary: "When which Workers are checked",
      query: ListHealthSchedulesSchema,
      response: answer("HealthSchedules", { schedules: z.array(HealthScheduleSchema), cursor: z.string().nullable() }),
    },
    async (c, ctx, { query }) => respond(c, await listHealthSchedules(ctx, query)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/health/schedules",
      scope: "health:write",
      tag,
      summary: "Have Workers checked regularly",
      body: { name: "CreateHealthSchedule", schema: CreateHealthScheduleSchema },
      maxBodyBytes: MAX_BODY,
      status: 201,
      response: ScheduleAnswer,
    },
    async (c, ctx, { body }) => respond(c, await createHealthSchedule(ctx, body), 201),
  );
  route(
    app,
    {
      method: "patch",
      path: "/api/health/schedules/{id}",
      scope: "health:write",
      tag,
      summary: "Change a schedule, or switch it off and on",
      body: { name: "ChangeHealthSchedule", schema: ChangeHealthScheduleSchema },
      maxBodyBytes: MAX_BODY,
      response: ScheduleAnswer,
    },
    async (c, ctx, { params, body }) =>
      respond(c, await changeHealthSchedule(ctx, { id: params.id ?? "", change: body })),
  );
  route(
    app,
    {
      method: "delete",
      path: "/api/health/schedules/{id}",
      scope: "health:write",
      tag,
      summary: "Take a schedule away; its checks stay",
      response: answer("HealthScheduleDeleted", {}),
    },
    async (c, ctx, { params }) => respond(c, await deleteHealthSchedule(ctx, { id: params.id ?? "" })),
  );
}
