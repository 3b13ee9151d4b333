import type { ServiceContext } from "../../context.ts";
import { engineAnswers } from "../../integrations/engine.ts";

interface ComponentHealth {
  ok: boolean;
  durationMs: number;
}

export interface Health {
  ok: true;
  /** `degraded`: something does not answer; what needs it waits or is refused, the rest works. */
  status: "healthy" | "degraded";
  components: Record<string, ComponentHealth>;
  version: string;
  instance: string;
  ts: string;
}

const TIMEOUT_MS = 2_000;

/** Asks every part this Worker stands on whether it answers, all at once and no longer than two seconds. */
export async function checkHealth(ctx: ServiceContext, version: string): Promise<Health> {
  const { env } = ctx;
  const probes: Record<string, (signal: AbortSignal) => Promise<boolean>> = {
    engine: (signal) => engineAnswers(env, signal),
    db_ops: () => answers(env.DB_OPS),
    db_logs: () => answers(env.DB_LOGS),
    db_projects: () => answers(env.DB_PROJECTS),
    db_chats: () => answers(env.DB_CHATS),
    db_health: () => answers(env.DB_HEALTH),
    // Any answer will do: it says that the object started.
    hub: async () => (await env.EVENT_HUB.getByName("all").fetch("https://hub/")).status < 500,
  };
  // A deployment may do without: the nightly run makes the reports then.
  const { REPORTS_QUEUE: queue }: { REPORTS_QUEUE?: Queue } = env;
  if (queue) probes.queue = async () => (await queue.metrics()).backlogCount >= 0;
  const components = Object.fromEntries(
    await Promise.all(
      Object.entries(probes).map(async ([name, probe]) => [name, await measure(ctx, name, probe)] as const),
    ),
  );
  return {
    ok: true,
    status: Object.values(components).every((component) => component.ok) ? "healthy" : "degraded",
    components,
    version,
    instance: env.INSTANCE,
    ts: ctx.now().toISOString(),
  };
}

async function answers(database: D1Database): Promise<boolean> {
  return (await database.prepare("SELECT 1 AS one").first("one")) === 1;
}

async function measure(
  ctx: ServiceContext,
  name: string,
  probe: (signal: AbortSignal) => Promise<boolean>,
): Promise<ComponentHealth> {
  const started = ctx.now().getTime();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const late = new Promise<false>((resolve) => signal.addEventListener("abort", () => resolve(false), { once: true }));
  let ok = false;
  try {
    ok = await Promise.race([probe(signal), late]);
  } catch (error) {
    ctx.log.warn("a part does not answer", { component: name, error });
  }
  return { ok, durationMs: ctx.now().getTime() - started };
}
