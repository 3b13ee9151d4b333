import {
  AssignmentSchema,
  AssignProviderSchema,
  DecisionSchema,
  ProviderConfigSchema,
  ProviderStatusSchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { DRIVERS } from "../../services/ai-providers/drivers.ts";
import { getProviderStatus } from "../../services/ai-providers/getProviderStatus.ts";
import { listProviders } from "../../services/ai-providers/listProviders.ts";
import { probeProvider } from "../../services/ai-providers/probeProvider.ts";
import { assignProvider, explainAssignment, ExplainAssignmentSchema } from "../../services/ai-providers/router.ts";
import { setProviderConfig } from "../../services/ai-providers/setProviderConfig.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const tag = "AI providers";
const one = { name: "ProviderAnswer", schema: z.object({ ok, status: ProviderStatusSchema }) };
const assigned = {
  name: "AssignmentAnswer",
  schema: z.object({ ok, assignment: AssignmentSchema, decision: DecisionSchema }),
};

export function aiProviderRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/ai/providers",
      scope: "ai:read",
      tag,
      summary: "The AI providers as they stand now: health, breaker, places, budget, success by type of task",
      response: { name: "ProviderList", schema: z.object({ ok, providers: z.array(ProviderStatusSchema) }) },
    },
    async (c, ctx) => respond(c, await listProviders(ctx)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ai/providers/{name}",
      scope: "ai:read",
      tag,
      summary: "An AI provider as it stands now",
      response: one,
    },
    async (c, ctx, { params }) => respond(c, await getProviderStatus(ctx, { provider: params.name ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ai/providers/{name}/probe",
      scope: "ai:write",
      tag,
      summary: "Ask a provider's service whether it would work, and keep what it answers",
      body: { name: "ProbeProvider", schema: z.object({}) },
      emptyBody: {},
      response: one,
    },
    async (c, ctx, { params }) => respond(c, await probeProvider(ctx, { provider: params.name ?? "" }, DRIVERS)),
  );
  route(
    app,
    {
      method: "put",
      path: "/api/ai/providers/{name}/config",
      scope: "admin",
      tag,
      summary: "Say what this deployment has otherwise than the provider's definition",
      body: { name: "ProviderConfig", schema: ProviderConfigSchema },
      response: one,
    },
    async (c, ctx, { params, body }) =>
      respond(c, await setProviderConfig(ctx, { provider: params.name ?? "", config: body })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ai/assign",
      scope: "ai:write",
      tag,
      summary: "Give a task to a provider: by rules and score, or to the one asked for where the rules allow",
      body: { name: "AssignProvider", schema: AssignProviderSchema },
      status: 201,
      response: assigned,
    },
    async (c, ctx, { body }) => respond(c, await assignProvider(ctx, body), 201),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ai/assign/explain",
      scope: "ai:read",
      tag,
      summary: "Why a task is with its provider: candidates, rules, the parts of each score",
      query: ExplainAssignmentSchema,
      response: assigned,
    },
    async (c, ctx, { query }) => respond(c, await explainAssignment(ctx, query)),
  );
}
