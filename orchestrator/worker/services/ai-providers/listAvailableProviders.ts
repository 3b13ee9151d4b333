import type { ProviderStatus, Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { evidenceNow } from "./evidenceNow.ts";
import { OUTSIDE } from "./outside.ts";
import { providersNow, statusOf } from "./providerFacts.ts";
import { byScore, candidatesOf } from "./routing/decide.ts";
import { taskFacts } from "./taskFacts.ts";

/**
 * The providers that may take a task now, best first, by a draw of this moment; whom its order asks for does not matter.
 * Needs `ai:read`. Errors: NOT_FOUND, FORBIDDEN.
 */
export async function listAvailableProviders(
  ctx: ServiceContext,
  input: { taskId: string },
  outside = OUTSIDE,
): Promise<Result<{ providers: ProviderStatus[] }>> {
  const denied = requireScope(ctx, "ai:read");
  if (denied) return denied;
  const providers = await providersNow(ctx);
  const [task, evidence] = await Promise.all([
    taskFacts(ctx, { taskId: input.taskId, preferred: null }, providers, outside),
    evidenceNow(ctx, providers),
  ]);
  if (!task.ok) return task;
  const candidates = candidatesOf({ task: task.facts, providers, evidence, seed: ctx.mintId() });
  const names = candidates
    .filter(({ score }) => score !== null)
    .toSorted(byScore)
    .map(({ provider }) => provider);
  const best = [...new Set(names)].flatMap(
    (name) => providers.find(({ definition }) => definition.name === name) ?? [],
  );
  return { ok: true, providers: best.map((provider) => statusOf(provider, evidence)) };
}
