import { fail, findIllFormedString, type Result } from "@shared/contracts";

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;.*)?$/i;

const tooLarge = (maxBytes: number) => fail("BODY_TOO_LARGE", `the body may have ${maxBytes} bytes at most`);

/** The body's bytes. A body over the limit is given up as soon as that is known, from its header or while it arrives. */
async function readBytes(request: Request, maxBytes: number): Promise<Result<{ bytes: Uint8Array }>> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return tooLarge(maxBytes);
  if (request.body === null) return { ok: true, bytes: new Uint8Array() };
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      await reader.cancel();
      return tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return { ok: true, bytes };
}

/**
 * The JSON value of a request's body, as sent.
 * Errors: UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, ILL_FORMED_UNICODE (bytes that are not UTF-8, or a lone surrogate
 * written as an escape), MALFORMED_JSON. An empty body is `emptyBody`, where given; otherwise it is malformed.
 */
export async function readJson(
  request: Request,
  options: { maxBytes: number; emptyBody?: unknown },
): Promise<Result<{ value: unknown }>> {
  const type = request.headers.get("content-type");
  const mayBeEmpty = options.emptyBody !== undefined;
  if (type === null ? !mayBeEmpty : !JSON_TYPE.test(type)) {
    return fail("UNSUPPORTED_MEDIA_TYPE", "the body must be application/json");
  }
  const body = await readBytes(request, options.maxBytes);
  if (!body.ok) return body;
  if (body.bytes.byteLength === 0 && mayBeEmpty) return { ok: true, value: options.emptyBody };
  if (type === null) return fail("UNSUPPORTED_MEDIA_TYPE", "the body must be application/json");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body.bytes);
  } catch {
    return fail("ILL_FORMED_UNICODE", "the body is not UTF-8");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail("MALFORMED_JSON", "the body is not JSON");
  }
  const path = findIllFormedString(value);
  if (path) {
    return fail("ILL_FORMED_UNICODE", `${path.join(".") || "the body"}: the text holds a lone surrogate`, {
      findings: [{ path, message: "a lone surrogate is no character" }],
    });
  }
  return { ok: true, value };
}
