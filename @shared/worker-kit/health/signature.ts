import { createHmac, timingSafeEqual } from "node:crypto";
import { fail, HEALTH_SIGNATURE_HEADER, HEALTH_TIMESTAMP_HEADER, type Failed } from "@shared/contracts";

/** How far the clock of who signs may be from ours. */
export const MAX_SKEW_MS = 5 * 60_000;
/** Under so few characters no secret is one: then nothing is signed and nothing is believed. */
const MIN_SECRET = 16;

export interface SignedRequest {
  method: string;
  /** Path and query. */
  path: string;
  body: string;
}

export const healthSignatureOf = (secret: string, timestamp: string, { method, path, body }: SignedRequest): string =>
  `sha256=${createHmac("sha256", secret).update(`${timestamp}.${method} ${path}.${body}`).digest("hex")}`;

/** The headers that a request between services bears. */
export function signedHeaders(secret: string, request: SignedRequest, now: Date): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  return {
    [HEALTH_TIMESTAMP_HEADER]: timestamp,
    [HEALTH_SIGNATURE_HEADER]: healthSignatureOf(secret, timestamp, request),
  };
}

/**
 * Null where the request is signed with the secret, in the last five minutes. The refusal is the same for whatever is
 * wrong: which part it was helps a forger alone.
 */
export function refuseUnsigned(
  secret: string | undefined,
  headers: Headers,
  request: SignedRequest,
  now: Date,
): Failed | null {
  const refused = fail("UNAUTHENTICATED", "this door is for services that sign what they send");
  const timestamp = headers.get(HEALTH_TIMESTAMP_HEADER);
  const signature = headers.get(HEALTH_SIGNATURE_HEADER);
  if (secret === undefined || secret.length < MIN_SECRET) return refused;
  if (timestamp === null || signature === null || !/^\d{1,12}$/.test(timestamp)) return refused;
  const expected = Buffer.from(healthSignatureOf(secret, timestamp, request));
  const given = Buffer.from(signature);
  if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) return refused;
  return Math.abs(Number(timestamp) * 1000 - now.getTime()) > MAX_SKEW_MS ? refused : null;
}
