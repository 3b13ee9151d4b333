import { problemOf, type Failed, type VibeError } from "@shared/contracts";
/** What an answer needs of a request's context; every app of `createApp` has it. */
export interface AnswerContext {
  req: { path: string };
  var: { requestId: string };
}

const HEADERS: Partial<Record<VibeError["code"], Record<string, string>>> = {
  UNAUTHENTICATED: { "www-authenticate": 'Bearer realm="vibehq"' },
  UPGRADE_REQUIRED: { upgrade: "websocket" },
  RATE_LIMITED: { "retry-after": "1" },
  DATABASE_UNAVAILABLE: { "retry-after": "5" },
  ENGINE_UNAVAILABLE: { "retry-after": "5" },
  SHUTTING_DOWN: { "retry-after": "5" },
};

/**
 * An error as problem+json (RFC 9457), with the status its code has in contracts. `extra` joins the document: what a
 * refusal knows beside its error, such as the outcome of a refused batch.
 */
export function problem(
  c: AnswerContext,
  error: VibeError,
  extra: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Response {
  const document = problemOf(error, { instance: c.req.path, requestId: c.var.requestId });
  return new Response(JSON.stringify({ ...extra, ...document }), {
    status: document.status,
    headers: { ...HEADERS[error.code], ...headers, "content-type": "application/problem+json; charset=utf-8" },
  });
}

/** A verb's result as an answer: the success body as it is, a refusal as problem+json with what else it carries. */
export function respond(c: AnswerContext, result: { ok: true } | Failed, status: 200 | 201 | 202 = 200): Response {
  if (result.ok) return Response.json(result, { status });
  const { ok: _, error, ...extra } = result;
  // A refusal that knows when to ask again says so in the header as well.
  const seconds = "retryAfterSeconds" in extra ? extra.retryAfterSeconds : null;
  return problem(c, error, extra, typeof seconds === "number" ? { "retry-after": String(seconds) } : {});
}
