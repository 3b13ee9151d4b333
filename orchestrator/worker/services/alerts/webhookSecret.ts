import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { z } from "zod";

/**
 * Secrets and signatures of Standard Webhooks (https://www.standardwebhooks.com, "Signature scheme"): a secret is
 * `whsec_` and the base64 of 24 to 64 random bytes, a signature `v1,` and the base64 of HMAC-SHA256 over
 * `id.timestamp.body`; several signatures stand in one header with blanks between.
 */
const PREFIX = "whsec_";
const SECRET_BYTES = 32;

export const mintWebhookSecret = (random: (bytes: number) => Uint8Array): string =>
  `${PREFIX}${Buffer.from(random(SECRET_BYTES)).toString("base64")}`;

/** The headers of one message. `timestamp` in seconds. */
export function signedHeaders(
  message: { id: string; timestamp: number; body: string },
  secrets: readonly string[],
): Record<string, string> {
  const { id, timestamp, body } = message;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8").digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": signatures.join(" ") };
}

export const SecretsSchema = z.array(
  z.object({ sealed: z.string(), created_at: z.string(), expires_at: z.string().nullable() }),
);
export type KeptSecret = z.infer<typeof SecretsSchema>[number];

/** The key that secrets are sealed with: of this instance's SESSION_SECRET, and for nothing else. */
const sealingKey = (env: Env): Buffer =>
  Buffer.from(hkdfSync("sha256", env.SESSION_SECRET, Buffer.alloc(0), "vibehq alert webhooks", 32));

/** A secret as it is kept, in AES-256-GCM, for this webhook alone: a copy of the database signs nothing. */
export function seal(env: Env, webhookId: string, secret: string, random: (bytes: number) => Uint8Array): string {
  const iv = Buffer.from(random(12));
  const cipher = createCipheriv("aes-256-gcm", sealingKey(env), iv);
  cipher.setAAD(Buffer.from(webhookId, "utf8"));
  const sealed = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
}

/** The secret, or null where it was sealed with another key or for another webhook. */
export function unseal(env: Env, webhookId: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, "base64url");
  try {
    const decipher = createDecipheriv("aes-256-gcm", sealingKey(env), bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(webhookId, "utf8"));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
  } catch {
    // Another SESSION_SECRET: nothing can be signed until the secret is made anew.
    return null;
  }
}

/** Those that sign now, the newest first. */
export const liveSecrets = (secrets: readonly KeptSecret[], now: string): KeptSecret[] =>
  secrets.filter(({ expires_at: expiresAt }) => expiresAt === null || expiresAt > now);
