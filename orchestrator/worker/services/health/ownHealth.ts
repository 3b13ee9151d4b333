import type { HealthDetail, PatchOpsRpc } from "@shared/contracts";
import {
  type BindingCheck,
  bindingsProfile,
  canaryProfile,
  type Clock,
  HealthDoors,
  identityProfile,
  type WorkerHealth,
} from "@shared/worker-kit";
import { createContext, type ServiceContext, systemActor } from "../../context.ts";
import { applyPatches } from "../patch/applyPatches.ts";
import { getPatch } from "../patch/getPatch.ts";
import { revertPatches } from "../patch/revertPatches.ts";
import { openWorkspace } from "../workspace/openWorkspace.ts";
import { readFile } from "../workspace/readFile.ts";
import { stubOf } from "../workspace/workspaceObject.ts";
import { probe } from "./probe.ts";
import { submitResult } from "./submitResult.ts";

export const ORCHESTRATOR = "vibehq-orchestrator";
/** What the orchestrator's own canary patches; every engine host has this template. */
const CANARY_TEMPLATE = "agent-factory";

const probed = (ctx: ServiceContext, profile: "database" | "engine") => async (): Promise<HealthDetail[]> => {
  const answer = await probe(ctx, { profile }, ORCHESTRATOR);
  if (answer.ok) return answer.details;
  const code = profile === "database" ? "DATABASE_FAILED" : "ENGINE_FAILED";
  return [{ name: profile, ok: false, code, message: answer.error.message.slice(0, 300), duration_ms: 0 }];
};

/** What the orchestrator itself is tested for: the same names as other Workers, over its own parts. */
function ownHealth(ctx: ServiceContext): WorkerHealth {
  const { env } = ctx;
  const patchOps: Pick<PatchOpsRpc, "openWorkspace" | "applyPatches" | "readFile" | "getPatch" | "revert"> = {
    openWorkspace: (input) => openWorkspace(ctx, input),
    applyPatches: (batch) => applyPatches(ctx, batch),
    readFile: (input) => readFile(ctx, input),
    getPatch: (input) => getPatch(ctx, input),
    revert: (input) => revertPatches(ctx, input),
  };
  return {
    worker: ORCHESTRATOR,
    type: "orchestrator",
    profiles: {
      identity: identityProfile(env, { worker: ORCHESTRATOR, type: "orchestrator" }),
      bindings: bindingsProfile(bindingsOf(env)),
      database: probed(ctx, "database"),
      engine: probed(ctx, "engine"),
      canary: canaryProfile({
        patchOps,
        workspaceId: `health-canary-${ORCHESTRATOR}`,
        source: { kind: "template", template: CANARY_TEMPLATE },
        requester: "health-canary",
      }),
    },
  };
}

// Any answer will do: it says that the object started.
const starts = async (object: Promise<Response>): Promise<true> => {
  const response = await object;
  await response.body?.cancel();
  if (response.status >= 500) throw new Error("the object does not start");
  return true;
};

/** The objects it cannot do without. The databases have a profile of their own, other Workers a check. */
function bindingsOf(env: Env): BindingCheck[] {
  return [
    {
      name: "EVENT_HUB",
      bound: env.EVENT_HUB,
      ask: () => starts(env.EVENT_HUB.getByName("all").fetch("https://hub/")),
    },
    {
      name: "WORKSPACE",
      bound: env.WORKSPACE,
      ask: async () => {
        await stubOf(env, `health-canary-${ORCHESTRATOR}`).alias();
        return true;
      },
    },
  ];
}

/** The orchestrator's own doors; its results go to the same verb as everyone's. */
export function ownDoors(ctx: ServiceContext, clock: Clock): HealthDoors {
  const own = createContext(ctx.env, {
    actor: systemActor("health"),
    requestId: ctx.requestId,
    log: ctx.log,
    now: () => ctx.now(),
    mintId: () => ctx.mintId(),
  });
  return new HealthDoors({
    env: { ...identityOf(ctx.env) },
    health: ownHealth(own),
    deliver: (result) => submitResult(own, result, { kind: "binding", worker: ORCHESTRATOR }),
    clock,
    mintId: () => ctx.mintId(),
    log: ctx.log,
  });
}

const identityOf = ({ WORKER_NAME, WORKER_TYPE, CF_VERSION_METADATA, ORCHESTRATOR_URL }: Env) => ({
  WORKER_NAME,
  WORKER_TYPE,
  CF_VERSION_METADATA,
  ORCHESTRATOR_URL,
});
