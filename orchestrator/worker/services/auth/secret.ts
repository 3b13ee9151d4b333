import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** `vhq_<12 characters that find the row>_<43 characters that are the secret: 256 random bits in base64url>`. */
const TOKEN = /^(vhq_[A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}$/;
const PREFIX_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

export const hashOfToken = (token: string): string => createHash("sha256").update(token, "utf8").digest("hex");

/** The part of a token that finds its row; null for what is no token of ours. */
export const prefixOfToken = (token: string): string | null => TOKEN.exec(token)?.[1] ?? null;

/** Compares two digests in a time that says nothing of where they differ. */
export function isSameDigest(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, "hex"), Buffer.from(b, "hex")];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

/** What events and lists name the holder of the environment's own token. */
export const BOOTSTRAP = "bootstrap";

/** Whether this digest is that of the environment's own token; one that is not set stands for nobody. */
export const isBootstrap = (env: Env, hash: string): boolean =>
  env.BOOTSTRAP_TOKEN ? isSameDigest(hash, hashOfToken(env.BOOTSTRAP_TOKEN)) : false;

export function mintToken(random: (bytes: number) => Uint8Array): { token: string; prefix: string } {
  const letters = Array.from(random(12), (byte) => PREFIX_ALPHABET[byte % PREFIX_ALPHABET.length]);
  const prefix = `vhq_${letters.join("")}`;
  return { token: `${prefix}_${Buffer.from(random(32)).toString("base64url")}`, prefix };
}

export const randomBytes = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

/**
 * Signs a text for one purpose (HMAC-SHA256, RFC 2104; base64url): what was signed for one is no good for another, nor
 * at another instance that has the same secret.
 */
export const signatureOf = (env: Env, purpose: string, text: string): string =>
  createHmac("sha256", env.SESSION_SECRET)
    .update(JSON.stringify([purpose, env.INSTANCE, text]))
    .digest("base64url");

/** Whether it was signed here; nothing is while there is no secret. */
export function isSigned(env: Env, purpose: string, text: string, signature: string): boolean {
  if (!env.SESSION_SECRET) return false;
  const [left, right] = [Buffer.from(signature), Buffer.from(signatureOf(env, purpose, text))];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
