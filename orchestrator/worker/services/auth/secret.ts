import { createHash, timingSafeEqual } from "node:crypto";

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

export function mintToken(random: (bytes: number) => Uint8Array): { token: string; prefix: string } {
  const letters = Array.from(random(12), (byte) => PREFIX_ALPHABET[byte % PREFIX_ALPHABET.length]);
  const prefix = `vhq_${letters.join("")}`;
  return { token: `${prefix}_${Buffer.from(random(32)).toString("base64url")}`, prefix };
}

export const randomBytes = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));
