import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/**
 * The RFC 8785 text of a JSON value: the one spelling that is hashed and stored.
 * Throws a TypeError on what JSON cannot carry: lone surrogates, NaN, infinities, `undefined`, cycles.
 */
export function canonicalText(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (cause) {
    throw new TypeError("the value has no canonical JSON text", { cause });
  }
  if (text === undefined) throw new TypeError("the value has no canonical JSON text");
  return text;
}

/** SHA-256 as 64 lower-case hexadecimal digits; a string is hashed as its UTF-8 bytes. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** SHA-256 of a value's RFC 8785 text. */
export function hashOf(value: unknown): string {
  return sha256(canonicalText(value));
}
