import { createHash } from "node:crypto";
import { signatureOf } from "../auth/secret.ts";

/**
 * What the callback of one Worker's check must bear. It follows from the check and this instance's secret, so that it
 * need not be kept: the database holds its hash.
 */
export const nonceOf = (env: Env, workerCheckUuid: string): string =>
  signatureOf(env, "health-callback", workerCheckUuid);

export const nonceHashOf = (nonce: string): string => createHash("sha256").update(nonce).digest("hex");
