import type { Failed } from "@shared/contracts";
import type { RpcCall } from "@shared/worker-kit";
import { createContext, factoryActor, type ServiceContext } from "../context.ts";
import { databaseErrorOf } from "../services/databaseError.ts";

/** Runs a verb as the factory that a binding's props name. Where D1 does not answer, the answer says so. */
export async function asFactory<T>(
  env: Env,
  { caller, requestId }: RpcCall,
  verb: (ctx: ServiceContext) => Promise<T>,
): Promise<T | Failed> {
  const ctx = createContext(env, { actor: factoryActor(caller), requestId });
  try {
    return await verb(ctx);
  } catch (error) {
    const known = databaseErrorOf(error);
    if (known === null) throw error;
    ctx.log.error("the database did not answer", { error });
    return { ok: false, error: known };
  }
}
