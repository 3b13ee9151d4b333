import { DeploymentSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { inspectDeployment } from "../../services/deployment/inspectDeployment.ts";
import { checkHealth } from "../../services/health/checkHealth.ts";
import { API_VERSION } from "../openapi.ts";
import { type App, route } from "../route.ts";

const HealthSchema = z.object({
  ok: z.literal(true),
  status: z.enum(["healthy", "degraded"]),
  components: z.record(z.string(), z.object({ ok: z.boolean(), durationMs: z.number() })),
  version: z.string(),
  instance: z.string(),
  ts: z.string(),
});

export function healthRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/health",
      scope: "public",
      tag: "Health",
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
      tag: "Health",
      summary: "What was deployed, in names alone: bindings, variables and secrets that are set, migrations",
      response: { name: "Deployment", schema: DeploymentSchema },
    },
    async (c, ctx) => respond(c, await inspectDeployment(ctx, API_VERSION)),
  );
}
