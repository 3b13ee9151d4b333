import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { verify } from "@octokit/webhooks-methods";
import { fail, type Result } from "@shared/contracts";
import { JsonPicker, type Wanted } from "./JsonPicker.ts";

/** GitHub's own cap. */
export const MAX_DELIVERY_BYTES = 25 * 1024 * 1024;
/** Up to here a body is held; a longer one is read as it comes and never held whole. */
const HELD_BYTES = 1024 * 1024;

export interface SignedBody {
  /** SHA-256 of the body's bytes, in hexadecimal. */
  sha256: string;
  /** The wanted members; null: the body is not the JSON of an object. */
  picked: Record<string, unknown> | null;
}

/**
 * Reads a body that GitHub signed: HMAC-SHA256 over its bytes as they were sent. Nothing of it is used before the
 * signature is known to be right; a header that is no signature is refused with nothing read. Errors: UNAUTHENTICATED,
 * BODY_TOO_LARGE as soon as that is known.
 */
export async function readSigned(
  request: Pick<Request, "body" | "headers">,
  { secret, signature, wanted }: { secret: string; signature: string | null; wanted: Wanted },
): Promise<Result<SignedBody>> {
  // One answer for all of it: which part was wrong is of use to a forger alone.
  const refused = fail("UNAUTHENTICATED", "the delivery is not signed as it must be");
  const tooLarge = fail("BODY_TOO_LARGE", `a delivery has at most ${MAX_DELIVERY_BYTES} bytes`);
  const { body, headers } = request;
  if (body === null || signature === null || !/^sha256=[0-9a-f]{64}$/.test(signature)) return refused;
  if (Number(headers.get("content-length") ?? 0) > MAX_DELIVERY_BYTES) return tooLarge;

  const hash = createHash("sha256");
  const hmac = createHmac("sha256", secret);
  const picker = new JsonPicker(wanted);
  let held: Uint8Array[] | null = [];
  let size = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > MAX_DELIVERY_BYTES) {
      await reader.cancel();
      return tooLarge;
    }
    if (size <= HELD_BYTES) held?.push(value);
    else held = null;
    hash.update(value);
    hmac.update(value);
    picker.push(value);
  }
  const text = held === null ? null : textOf(held);
  const isSigned =
    text === null || text === ""
      ? timingSafeEqual(hmac.digest(), Buffer.from(signature.slice("sha256=".length), "hex"))
      : await verify(secret, text, signature);
  return isSigned ? { ok: true, sha256: hash.digest("hex"), picked: picker.end() } : refused;
}

/** Null where the bytes are no UTF-8, and so would not be the same ones again. */
function textOf(chunks: readonly Uint8Array[]): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    return null;
  }
}
