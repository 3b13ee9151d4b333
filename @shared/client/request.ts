import { CSRF_HEADER, fail, ProblemSchema, type Failed, type JsonObject, type Ok } from "@shared/contracts";
import { z } from "zod";

export interface ClientOptions {
  /** The orchestrator's address, such as `http://127.0.0.1:8787`. */
  url: string;
  /** An API token, sent as Bearer. Absent: the browser's session cookie, with what the server asks for beside it. */
  token?: string;
  /** Default: the platform's. */
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** Gives the call up; it then rejects with the signal's reason, as `fetch` does. */
  signal?: AbortSignal;
}

export type Query = Record<string, string | number | undefined>;

/** A refusal with whatever members its problem document had beside the standard ones. */
export type Refusal = Failed & { body: JsonObject };

export interface Request<Schema extends z.ZodType<object>> extends CallOptions {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  query?: Query;
  body?: unknown;
  answer: Schema;
}

/** A call that reads, and one that may change something, of one client. */
export type Get = <Schema extends z.ZodType<object>>(
  path: string,
  answer: Schema,
  query?: Query,
  call?: CallOptions,
) => Promise<Ok<z.output<Schema>> | Refusal>;
export type Send = <Schema extends z.ZodType<object>>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  answer: Schema,
  body: unknown,
  call?: CallOptions,
) => Promise<Ok<z.output<Schema>> | Refusal>;

export interface ListQuery {
  limit?: number;
  cursor?: string;
}

/** A path below `/api`, each part of it escaped. */
export const at = (...parts: string[]): string => `/api/${parts.map((part) => encodeURIComponent(part)).join("/")}`;

const BodySchema = z.record(z.string(), z.json());

/**
 * One call of the API. A refusal is the error of its problem document; UNREACHABLE where no answer came, so that it is
 * not known whether the request arrived; INTERNAL where an answer came in another shape than the contract's.
 */
export async function request<Schema extends z.ZodType<object>>(
  { url, token, fetch: send = fetch }: ClientOptions,
  { method, path, query = {}, body, answer, signal }: Request<Schema>,
): Promise<Ok<z.output<Schema>> | Refusal> {
  const address = new URL(path, url);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) address.searchParams.set(name, String(value));
  }
  let status: number;
  let text: string;
  try {
    const response = await send(address, {
      method,
      headers: {
        ...(token === undefined ? { [CSRF_HEADER]: "1" } : { authorization: `Bearer ${token}` }),
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    ({ status } = response);
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    return { ...fail("UNREACHABLE", `${address.origin} does not answer`, { nothingWritten: null }), body: {} };
  }

  const parsed = BodySchema.safeParse(parseJson(text));
  if (!parsed.success) return outOfShape(status, path);
  if (status >= 400) {
    const problem = ProblemSchema.safeParse(parsed.data);
    return problem.success ? { ok: false, error: problem.data.error, body: parsed.data } : outOfShape(status, path);
  }
  const read = answer.safeParse(parsed.data);
  return read.success ? { ok: true, ...read.data } : outOfShape(status, path);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller answers for a body in the wrong shape.
    return undefined;
  }
}

const outOfShape = (status: number, path: string): Refusal => ({
  ...fail("INTERNAL", `${path} was answered with HTTP ${status} in a shape that is not the contract's`, {
    nothingWritten: null,
  }),
  body: {},
});
