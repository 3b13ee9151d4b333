import { access, constants } from "node:fs/promises";
import {
  EngineApplyRequestSchema,
  EngineMarkersRequestSchema,
  EnginePushRequestSchema,
  EngineReplayRequestSchema,
  EngineRevertRequestSchema,
  EngineTasksRequestSchema,
  fail,
  OpenWorkspaceRequestSchema,
  validationError,
  WorkspaceIdSchema,
  type EngineAnswer,
  type Failed,
  type LoggedPatch,
  type Result,
  type WorkspaceId,
} from "@shared/contracts";
import { Hono } from "hono";
import { routePath } from "hono/route";
import { z } from "zod";
import type { Activity } from "./Activity.ts";
import type { AgentRuns } from "./agent-runs/AgentRuns.ts";
import { agentRunRoutes } from "./agent-runs/routes.ts";
import { bearerCheck } from "./auth.ts";
import { readJson } from "./body.ts";
import type { HostConfig } from "./config.ts";
import type { Log } from "./log.ts";
import type { BatchKind, Metrics } from "./metrics.ts";
import { pushWorkspace } from "./push/pushWorkspace.ts";
import {
  errorOf,
  respond,
  respondWithAnswer,
  respondWithSnapshot,
  type HostContext,
  type HostVariables,
} from "./respond.ts";
import type { WorkspaceRegistry } from "./WorkspaceRegistry.ts";

export interface AppParts {
  config: HostConfig;
  registry: WorkspaceRegistry;
  agentRuns: AgentRuns;
  activity: Activity;
  metrics: Metrics;
  log: Log;
  mintId: () => string;
  now: () => Date;
}

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,100}$/;
const LogQuerySchema = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** The host's HTTP interface. Each route reads its input, makes one call, and sends what it answers. */
export function createApp({
  config,
  registry,
  agentRuns,
  activity,
  metrics,
  log,
  mintId,
  now,
}: AppParts): Hono<HostVariables> {
  const app = new Hono<HostVariables>();
  const isAuthorized = bearerCheck(config.token);

  app.use(async (c, next) => {
    const given = c.req.header("x-request-id") ?? "";
    const requestId = REQUEST_ID.test(given) ? given : mintId();
    c.set("requestId", requestId);
    const started = performance.now();
    await next();
    // On the response itself: c.header() would make a new one of it first.
    c.res.headers.set("x-request-id", requestId);
    const matched = routePath(c, -1);
    const route = matched === "" || matched.endsWith("/*") ? "unmatched" : matched;
    const { status } = c.res;
    metrics.request(c.req.method, route, status);
    if (route.startsWith("/v1/") || status >= 400) {
      log.info("request", {
        requestId,
        method: c.req.method,
        route,
        workspaceId: c.req.param("id"),
        status,
        ms: Math.round(performance.now() - started),
      });
    }
  });

  app.get("/healthz", (c) => c.json({ ok: true }));
  app.get("/readyz", async (c) => respond(c, await readiness()));
  app.get("/metrics", async (c) => c.text(await metrics.text(), 200, { "content-type": metrics.contentType }));

  app.use("/v1/*", async (c, next) => {
    if (!isAuthorized(c.req.header("authorization"))) {
      const refused = fail("UNAUTHENTICATED", "send the host's token as a bearer token");
      return respond(c, refused, { "www-authenticate": "Bearer" });
    }
    if (activity.stopping) {
      return respond(c, fail("SHUTTING_DOWN", "this host is stopping"), { "retry-after": "1" });
    }
    await activity.run(next);
    return undefined;
  });

  app.post("/v1/workspaces", async (c) => {
    const body = await readJson(c.req.raw, config.limits.bulk, OpenWorkspaceRequestSchema);
    if (!body.ok) return respond(c, body);
    const opened = await registry.open(body.value);
    metrics.opened(body.value.source.kind, opened.ok ? (opened.created ? "created" : "existing") : "refused");
    return respond(c, opened);
  });

  app.get("/v1/workspaces/:id", async (c) => {
    const id = workspaceId(c);
    return respond(c, id.ok ? await registry.info(id.id) : id);
  });

  app.post("/v1/workspaces/:id/batches", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    const body = await readJson(c.req.raw, config.limits.batch, EngineApplyRequestSchema);
    if (!body.ok) return respond(c, body);
    const request = { ...body.value, door: "host" as const };
    return timed(c, request.simulate ? "simulate" : "apply", () =>
      registry.use(id.id, (engine) => engine.apply(request)),
    );
  });

  app.post("/v1/workspaces/:id/revert", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    const body = await readJson(c.req.raw, config.limits.small, EngineRevertRequestSchema);
    if (!body.ok) return respond(c, body);
    const request = { ...body.value, door: "host" as const };
    return timed(c, "revert", () => registry.use(id.id, (engine) => engine.revert(request)));
  });

  app.post("/v1/workspaces/:id/validate", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    return respond(
      c,
      await registry.use(id.id, async (engine) => ({ ok: true as const, checks: await engine.validate() })),
    );
  });

  app.post("/v1/workspaces/:id/replay", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    const body = await readJson(c.req.raw, config.limits.bulk, EngineReplayRequestSchema);
    if (!body.ok) return respond(c, body);
    const { entries, treeHash } = body.value;
    return respond(c, await registry.use(id.id, (engine) => engine.replay(entries, treeHash)));
  });

  app.post("/v1/workspaces/:id/markers", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    const body = await readJson(c.req.raw, config.limits.small, EngineMarkersRequestSchema);
    if (!body.ok) return respond(c, body);
    return respond(c, await registry.use(id.id, (engine) => engine.markers(body.value.files)));
  });

  app.post("/v1/workspaces/:id/snapshot", async (c) => {
    const id = workspaceId(c);
    return id.ok ? respondWithSnapshot(c, await registry.snapshot(id.id)) : respond(c, id);
  });

  app.post("/v1/workspaces/:id/push", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    const body = await readJson(c.req.raw, config.limits.small, EnginePushRequestSchema);
    if (!body.ok) return respond(c, body);
    return respond(c, await pushWorkspace({ registry, remotes: config.pushRemotes, now }, id.id, body.value));
  });

  app.put("/v1/workspaces/:id/tasks", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    const body = await readJson(c.req.raw, config.limits.batch, EngineTasksRequestSchema);
    if (!body.ok) return respond(c, body);
    return respond(
      c,
      await registry.use(id.id, async (engine) => {
        await engine.putTasks(body.value);
        return { ok: true as const };
      }),
    );
  });

  app.get("/v1/workspaces/:id/files/:path{.+}", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    return respond(c, await registry.use(id.id, (engine) => engine.readFile(c.req.param("path"))));
  });

  app.get("/v1/workspaces/:id/log", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    const query = LogQuerySchema.safeParse(c.req.query());
    if (!query.success) return respond(c, { ok: false, error: validationError(query.error) });
    const { after, limit } = query.data;
    return respond(
      c,
      await registry.use(id.id, async (engine) => ({
        ok: true as const,
        entries: await engine.entriesAfter(after, limit),
        head: engine.info().head,
      })),
    );
  });

  app.get("/v1/workspaces/:id/patches/:patchId", async (c) => {
    const id = workspaceId(c);
    if (!id.ok) return respond(c, id);
    const found = await registry.use(id.id, (engine) => engine.patch(c.req.param("patchId")));
    return respond(c, found.ok ? { ok: true, ...patchAndDiff(found.patch) } : found);
  });

  app.route("/v1/workspaces", agentRunRoutes(agentRuns, config.limits.batch));

  // A path that another method would reach. Registered last: what is reached has answered already.
  const endpoints = app.routes.filter((route) => route.method !== "ALL");
  for (const path of new Set(endpoints.map((route) => route.path))) {
    const allow = endpoints.filter((route) => route.path === path).map((route) => route.method);
    app.all(path, (c) => {
      const refused = fail("METHOD_NOT_ALLOWED", `${c.req.method} is not possible here`);
      return respond(c, refused, { allow: allow.join(", ") });
    });
  }
  app.notFound((c) => respond(c, fail("NOT_FOUND", "there is nothing here")));
  app.onError((error, c) => {
    log.error("request failed", { requestId: c.get("requestId"), error: error.stack ?? String(error) });
    return respond(c, { ok: false, error: errorOf(error, c.req.method) });
  });

  async function readiness(): Promise<Result<{ ready: true }>> {
    if (activity.stopping) return fail("SHUTTING_DOWN", "this host is stopping");
    try {
      await access(config.dataDir, constants.R_OK | constants.W_OK);
      return { ok: true, ready: true };
    } catch {
      return fail("IO_ERROR", "the workspaces' directory cannot be written");
    }
  }

  async function timed(c: HostContext, kind: BatchKind, call: () => Promise<EngineAnswer | Failed>): Promise<Response> {
    const started = performance.now();
    const answer = await call();
    if (!("head" in answer)) return respond(c, answer);
    metrics.batch(kind, answer, (performance.now() - started) / 1000);
    return respondWithAnswer(answer);
  }

  return app;
}

const patchAndDiff = (patch: LoggedPatch) => ({ patch, diff: patch.diff });

function workspaceId(c: HostContext): Result<{ id: WorkspaceId }> {
  const parsed = WorkspaceIdSchema.safeParse(c.req.param("id"));
  return parsed.success ? { ok: true, id: parsed.data } : { ok: false, error: validationError(parsed.error) };
}
