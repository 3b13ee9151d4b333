import { vibeError, type VibeError } from "@shared/contracts";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { createLogger, type Logger } from "./logger.ts";
import { problem } from "./problem.ts";

/** What every app of this house keeps on its context. */
export interface AppVariables {
  requestId: string;
  log: Logger;
}

export interface AppOptions<Bindings> {
  /** The Worker's logger; each request's lines carry its id. */
  logger?: (env: Bindings) => Logger;
  mintRequestId?: () => string;
  /** Milliseconds, for the duration in the log. */
  clock?: () => number;
  /** What a thrown error means to a caller, where it is known; null: an INTERNAL error that shows nothing. */
  errorOf?: (error: Error) => VibeError | null;
}

/**
 * What every answer says to a browser unless its route says otherwise: it is data, to be kept by nobody, framed, run and
 * guessed at by nobody, whatever stands in it.
 */
const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  // Ignored over plain http, as a local instance is.
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Whether a route's path (`:name` is one segment, `:name{.+}` and `*` all that follows) is that of a request. */
function matches(route: readonly string[], path: readonly string[]): boolean {
  for (const [index, segment] of route.entries()) {
    if (segment === "*" || segment.endsWith("{.+}")) return true;
    const given = path[index];
    if (given === undefined || (segment.startsWith(":") ? given === "" : segment !== given)) return false;
  }
  return route.length === path.length;
}

/** Runs work once the answer is on its way, where the runtime keeps a request alive for that; else at once. */
function afterAnswer(c: Context, work: () => void): void {
  let keepAlive: (work: Promise<void>) => void;
  try {
    const { executionCtx } = c;
    keepAlive = (kept) => executionCtx.waitUntil(kept);
  } catch {
    // Hono throws where a request came without one, as it does outside of workerd.
    work();
    return;
  }
  keepAlive(
    new Promise((resolve) => {
      setTimeout(() => {
        work();
        resolve();
      }, 0);
    }),
  );
}

/**
 * The app every Worker with an HTTP door starts from: a request id (the caller's own, if it is a plain one), one log
 * line a request, problem+json for every refusal, 404 and 405 told apart, and nothing internal in any answer.
 */
export function createApp<Bindings extends object>(
  options: AppOptions<Bindings> = {},
): OpenAPIHono<{ Bindings: Bindings; Variables: AppVariables }> {
  const {
    logger = () => createLogger(),
    mintRequestId = () => crypto.randomUUID(),
    clock = () => Date.now(),
    errorOf = () => null,
  } = options;
  const app = new OpenAPIHono<{ Bindings: Bindings; Variables: AppVariables }>();

  app.use("*", async (c, next) => {
    const given = c.req.header("x-request-id");
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : mintRequestId();
    const log = logger(c.env).child({ requestId });
    c.set("requestId", requestId);
    c.set("log", log);
    const started = clock();
    await next();
    // The headers of a socket's answer are the runtime's.
    if (c.res.status !== 101) {
      c.res.headers.set("x-request-id", requestId);
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
        if (!c.res.headers.has(name)) c.res.headers.set(name, value);
      }
    }
    const line = { method: c.req.method, path: c.req.path, status: c.res.status, durationMs: clock() - started };
    if (c.res.status >= 500) log.error("request failed", line);
    else afterAnswer(c, () => log.info("request", line));
  });

  app.onError((error, c) => {
    const known = errorOf(error);
    if (known === null) c.get("log").error("a request threw", { error });
    else c.get("log").warn("a request was given up", { code: known.code, error });
    return problem(
      c,
      known ??
        vibeError("INTERNAL", "something failed on this side; the log holds the cause under this request's id", {
          nothingWritten: null,
        }),
    );
  });

  // Read when first needed: routes are added after this.
  let routes: { method: string; segments: string[] }[] | null = null;
  app.notFound((c) => {
    routes ??= app.routes
      .filter((route) => route.method !== "ALL")
      .map((route) => ({ method: route.method, segments: route.path.split("/") }));
    const { method, path } = c.req;
    const segments = path.split("/");
    const allowed = new Set(routes.filter((route) => matches(route.segments, segments)).map((route) => route.method));
    if (allowed.size === 0) return problem(c, vibeError("NOT_FOUND", "there is nothing at this address"));
    const allow = [...allowed].toSorted().join(", ");
    return problem(c, vibeError("METHOD_NOT_ALLOWED", `${method} is not among ${allow}`), {}, { allow });
  });

  return app;
}
