import { fail, findIllFormedString, JsonSchema, validationError, type Result } from "@shared/contracts";
import type { z } from "zod";

/**
 * Reads a request's JSON body of at most `limit` bytes and parses it by `schema`. A body over the limit is refused by
 * its declared length, or else at the first byte too many: it is never held whole.
 * Errors: UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_JSON, ILL_FORMED_UNICODE, VALIDATION_FAILED.
 */
export async function readJson<Output>(
  request: Request,
  limit: number,
  schema: z.ZodType<Output>,
): Promise<Result<{ value: Output }>> {
  const mediaType = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") return fail("UNSUPPORTED_MEDIA_TYPE", "send application/json");

  const bytes = await readBytes(request, limit);
  if (bytes === null) return fail("BODY_TOO_LARGE", `the body is over ${limit} bytes`);

  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return fail("ILL_FORMED_UNICODE", "the body is not UTF-8");
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fail("MALFORMED_JSON", "the body is not JSON");
  }
  // Bounded depth: what recurses over the value later (schemas, canonical text) cannot run out of stack.
  const bounded = JsonSchema.safeParse(json);
  if (!bounded.success) return { ok: false, error: validationError(bounded.error) };
  const illFormed = findIllFormedString(json);
  if (illFormed) {
    const path = illFormed.join(".");
    return fail("ILL_FORMED_UNICODE", `lone surrogate in ${path === "" ? "the body" : path}`, {
      findings: [{ path: illFormed, message: "lone surrogate" }],
    });
  }
  const parsed = schema.safeParse(bounded.data);
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, error: validationError(parsed.error) };
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array | null> {
  const declared = request.headers.get("content-length");
  // The HTTP parser holds a body to its declared length.
  if (declared !== null) return Number(declared) > limit ? null : new Uint8Array(await request.arrayBuffer());
  if (!request.body) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    size += chunk.value.byteLength;
    if (size > limit) {
      reader.releaseLock();
      return null;
    }
    chunks.push(chunk.value);
  }
  return Buffer.concat(chunks, size);
}
