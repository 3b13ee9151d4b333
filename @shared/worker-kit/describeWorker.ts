import { answerHealthRequest } from "./health/answerHealthRequest.ts";
import { healthDoorsOf } from "./health/BaseHealthCheck.ts";
import type { AppHealthBindings } from "./health/factoryHealth.ts";
import type { WorkerHealth } from "./health/profiles.ts";

/**
 * The `fetch` of a Worker that is reached by RPC: `GET /` says which Worker answers, `/health-check/…` answers who signs;
 * anything else is not found.
 */
export const describeWorker =
  <Environment extends AppHealthBindings>(worker: string, healthOf: (env: Environment) => WorkerHealth) =>
  async (request: Request, env: Environment, ctx: Pick<ExecutionContext, "waitUntil">): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (request.method === "GET" && pathname === "/") return Response.json({ ok: true, worker });
    const answered = await answerHealthRequest(request, {
      doors: healthDoorsOf(env, healthOf(env)),
      secret: env.HEALTH_SECRET,
      now: () => new Date(),
      background: (work) => ctx.waitUntil(work),
    });
    return answered ?? new Response("not found", { status: 404, headers: { "content-type": "text/plain" } });
  };
