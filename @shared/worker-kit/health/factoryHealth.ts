import type {
  AIProviderOpsRpc,
  DeliveryReportsRpc,
  FactoryName,
  FactoryOpsRpc,
  HealthDetail,
  HealthFault,
  HealthOpsRpc,
  LoggingOpsRpc,
  PatchOpsRpc,
  Result,
} from "@shared/contracts";
import { canaryProfile } from "./canary.ts";
import {
  type BindingCheck,
  bindingsProfile,
  identityProfile,
  type IdentityEnv,
  line,
  type Profile,
  type WorkerHealth,
} from "./profiles.ts";

/** What the health of a Worker in apps/ stands on. */
export interface AppHealthBindings extends IdentityEnv {
  ORCHESTRATOR_HEALTH?: HealthOpsRpc;
  ORCHESTRATOR_URL?: string;
  HEALTH_SECRET?: string;
}
/** A factory's bindings, any of which may be missing where it is broken. */
export interface FactoryHealthBindings extends AppHealthBindings {
  ORCHESTRATOR_PATCH?: PatchOpsRpc;
  ORCHESTRATOR_FACTORY?: FactoryOpsRpc;
  ORCHESTRATOR_DELIVERY?: DeliveryReportsRpc;
  ORCHESTRATOR_AI_PROVIDER?: AIProviderOpsRpc;
  ORCHESTRATOR_LOGGING?: LoggingOpsRpc;
}

/** Looks at something by way of the orchestrator, which alone can see it. */
const probed =
  (env: AppHealthBindings, profile: "database" | "engine" | "template", fault: HealthFault): Profile =>
  async ({ clock }) => {
    const started = clock.now().getTime();
    const failed = (code: HealthFault, message: string): HealthDetail[] => [
      { name: "orchestrator", ok: false, code, message, duration_ms: Math.max(0, clock.now().getTime() - started) },
    ];
    if (!env.ORCHESTRATOR_HEALTH) return failed("BINDING_MISSING", "the binding ORCHESTRATOR_HEALTH is not configured");
    const version = env.CF_VERSION_METADATA?.id;
    const answer = await env.ORCHESTRATOR_HEALTH.probe({ profile, ...(version === undefined ? {} : { version }) });
    return answer.ok ? answer.details : failed(fault, line(`${answer.error.code}: ${answer.error.message}`));
  };

/** An id that nothing has: whoever is asked for it looks it up, and answers that there is none. */
const NOTHING = "health-check-of-nothing";

const healthBinding = ({ ORCHESTRATOR_HEALTH: bound }: AppHealthBindings): BindingCheck => ({
  name: "ORCHESTRATOR_HEALTH",
  bound,
  ask: async () => (bound ? bound.probe({ profile: "database" }) : true),
});

/**
 * A service outside that a Worker is the way to, as one of its parts: `ask` makes the least of the calls it is there for. Its
 * limit being reached is an answer; that it refuses, or says nothing, is this Worker's fault to tell.
 */
export const upstream = (name: string, ask: () => Promise<Result<object>>): BindingCheck => ({
  name,
  bound: true,
  mustFind: true,
  ask: async () => {
    const answer = await ask();
    return !answer.ok && answer.error.code === "RATE_LIMITED" ? true : answer;
  },
});

/** What any Worker in apps/ is tested for; `bindings` are those it works with beside the orchestrator's. */
export const appHealth = (
  env: AppHealthBindings,
  { worker, type, bindings = [] }: Pick<WorkerHealth, "worker" | "type"> & { bindings?: readonly BindingCheck[] },
): WorkerHealth => ({
  worker,
  type,
  profiles: {
    identity: identityProfile(env, { worker, type }),
    bindings: bindingsProfile([healthBinding(env), ...bindings]),
    database: probed(env, "database", "DATABASE_FAILED"),
  },
});

/** What a factory is tested for: its bindings, D1 and the engine through the orchestrator, its template, the whole loop. */
export function factoryHealth(env: FactoryHealthBindings, factory: FactoryName): WorkerHealth {
  const { ORCHESTRATOR_PATCH: patchOps, ORCHESTRATOR_FACTORY: factoryOps, ORCHESTRATOR_DELIVERY: delivery } = env;
  const { ORCHESTRATOR_AI_PROVIDER: providers, ORCHESTRATOR_LOGGING: logging } = env;
  const base = appHealth(env, {
    worker: factory,
    type: "factory",
    bindings: [
      {
        name: "ORCHESTRATOR_PATCH",
        bound: patchOps,
        ask: async () => (patchOps ? patchOps.getPatch({ patchId: NOTHING }) : true),
      },
      {
        name: "ORCHESTRATOR_FACTORY",
        bound: factoryOps,
        ask: async () => (factoryOps ? factoryOps.getOrder({ orderId: NOTHING }) : true),
      },
      {
        name: "ORCHESTRATOR_DELIVERY",
        bound: delivery,
        ask: async () => (delivery ? delivery.getByOrder(NOTHING) : true),
      },
      {
        name: "ORCHESTRATOR_AI_PROVIDER",
        bound: providers,
        ask: async () => (providers ? providers.getExecution(NOTHING) : true),
      },
      {
        name: "ORCHESTRATOR_LOGGING",
        bound: logging,
        ask: async () => (logging ? logging.write({ entries: [] }) : true),
      },
    ],
  });
  return {
    ...base,
    profiles: {
      ...base.profiles,
      engine: probed(env, "engine", "ENGINE_FAILED"),
      template: probed(env, "template", "TEMPLATE_FAILED"),
      canary: (context) =>
        patchOps
          ? canaryProfile({
              patchOps,
              workspaceId: `health-canary-${factory}`,
              source: { kind: "template", template: factory },
              requester: "health-canary",
            })(context)
          : Promise.resolve([
              {
                name: "ORCHESTRATOR_PATCH",
                ok: false,
                code: "BINDING_MISSING" as const,
                message: "the binding ORCHESTRATOR_PATCH is not configured",
                duration_ms: 0,
              },
            ]),
    },
  };
}
