import { fail, HEALTH_CHECK_PATHS, ProblemSchema } from "@shared/contracts";
import { z } from "zod";
import type { AppHealthBindings } from "./factoryHealth.ts";
import type { Deliver } from "./HealthDoors.ts";
import { signedHeaders } from "./signature.ts";

const DELIVER_MS = 10_000;
const TakenSchema = z.object({ ok: z.literal(true), status: z.string() });

/** To the orchestrator: by the binding where there is one, else signed to its address. */
export const deliverTo =
  (env: AppHealthBindings, now: () => Date): Deliver =>
  async (result, callbackUrl) => {
    if (env.ORCHESTRATOR_HEALTH) return env.ORCHESTRATOR_HEALTH.submitResult(result);
    if (!env.HEALTH_SECRET) return fail("FORBIDDEN", "there is neither a binding nor a secret to answer with");
    const body = JSON.stringify(result);
    const request = { method: "POST", path: HEALTH_CHECK_PATHS.result, body };
    const response = await fetch(callbackUrl, {
      method: "POST",
      headers: { "content-type": "application/json", ...signedHeaders(env.HEALTH_SECRET, request, now()) },
      body,
      // The signature and the nonce are for this address alone.
      redirect: "manual",
      signal: AbortSignal.timeout(DELIVER_MS),
    });
    const answered: unknown = await response.json();
    const problem = ProblemSchema.safeParse(answered);
    if (problem.success) return { ok: false, error: problem.data.error };
    const taken = TakenSchema.safeParse(answered);
    return taken.success ? taken.data : fail("UPSTREAM_UNAVAILABLE", `the callback answered ${response.status}`);
  };
