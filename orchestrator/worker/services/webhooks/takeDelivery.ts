import { createHmac, timingSafeEqual } from "node:crypto";
import { fail, type Failed } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";

/** How far a delivery's clock may be from this one. */
const MAX_SKEW_MS = 5 * 60_000;

export interface SignedDelivery {
  /** Seconds since 1970, in decimal. */
  timestamp: string | null;
  /** `sha256=` and the HMAC-SHA256 of `<timestamp>.<body>` under the secret, in hexadecimal. */
  signature: string | null;
  body: string;
}

/** The signature that a delivery must bear. */
export const signatureOf = (secret: string, timestamp: string, body: string): string =>
  `sha256=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;

/**
 * Takes a delivery in, once: null where it is signed with the secret, of the last five minutes, and new. UNAUTHENTICATED
 * where it is not, CONFLICT where it was taken already.
 */
export async function takeDelivery(
  ctx: ServiceContext,
  sender: string,
  secret: string,
  { timestamp, signature, body }: SignedDelivery,
): Promise<Failed | null> {
  // One answer for all of it: which part was wrong is of use to a forger alone.
  const refused = fail("UNAUTHENTICATED", "the delivery is not signed as it must be");
  if (timestamp === null || signature === null || !/^\d{1,12}$/.test(timestamp)) return refused;
  const expected = Buffer.from(signatureOf(secret, timestamp, body));
  const given = Buffer.from(signature);
  if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) return refused;
  const now = ctx.now();
  if (Math.abs(Number(timestamp) * 1000 - now.getTime()) > MAX_SKEW_MS) return refused;

  // Past twice the skew no timestamp that could come back is accepted any more.
  const over = new Date(now.getTime() - 2 * MAX_SKEW_MS).toISOString();
  const [taken] = await ctx.env.DB_OPS.batch([
    ctx.env.DB_OPS.prepare(TAKE).bind(sender, signature, now.toISOString()),
    ctx.env.DB_OPS.prepare(SWEEP).bind(over),
  ]);
  return taken?.meta.changes === 0 ? fail("CONFLICT", "the delivery was taken already") : null;
}

const TAKE = `
  INSERT INTO webhook_receipts (sender, signature, received_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (sender, signature) DO NOTHING`;
const SWEEP = `DELETE FROM webhook_receipts WHERE received_at < ?1`;
