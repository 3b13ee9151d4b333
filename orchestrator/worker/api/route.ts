import {
  BatchOutcomeSchema,
  CustodyRecordSchema,
  fail,
  OrderSchema,
  PatchEventSchema,
  PatchOperationSchema,
  ProblemSchema,
  ProjectSchema,
  type Scope,
  TaskSchema,
  type VibeError,
  VibeErrorSchema,
  WorkspaceInfoSchema,
} from "@shared/contracts";
import { type AppVariables, problem, readJson } from "@shared/worker-kit";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import { type Actor, createContext, requireScope, type ServiceContext } from "../context.ts";
import { clearedCookie, hasSessionCookie } from "../services/auth/cookie.ts";
import { identify } from "../services/auth/identify.ts";
import { refuseForeignPage, refuseForgery } from "../services/auth/origin.ts";

type AppEnv = { Bindings: Env; Variables: AppVariables };
export type App = OpenAPIHono<AppEnv>;
type AppContext = Context<AppEnv>;

/** A schema under the name it has in the API's document. */
export interface NamedSchema {
  name: string;
  schema: z.ZodType;
}

export interface RouteDefinition {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** With parameters in braces: `/api/orders/{orderId}`; `{name...}`, last, is all that follows, slashes too. */
  path: string;
  /**
   * What the caller must hold; `signed-in`: whoever they are; `public`: nobody is asked who they are; `signed`: the
   * handler asks for a signature over the request as it was sent, and neither sessions nor tokens count; `bearer`: whoever
   * bears a token, sessions do not count, and the verb asks for scopes.
   */
  scope: Scope | "signed-in" | "public" | "signed" | "bearer";
  tag: string;
  summary: string;
  /** Whether a call changes something, so that one with a cookie must show that no other page is behind it. Default: all but GET. */
  changesState?: boolean | ((query: Record<string, string>) => boolean);
  /** Admits who comes otherwise, before the caller is asked who they are; null: nobody by this way. */
  admits?: (env: Env, request: Request) => Actor | null;
  /** Of a list: its query, which the verb reads. */
  query?: z.ZodObject;
  /** What the verb parses; here it only documents. */
  body?: NamedSchema;
  /** The body of a route that reads it by itself. */
  documents?: NamedSchema;
  /** Default 256 KiB. */
  maxBodyBytes?: number;
  /** What an absent body stands for; without it a body is required. */
  emptyBody?: unknown;
  status?: 101 | 200 | 201;
  response?: NamedSchema;
  /** What else the answer may be, where the caller asks for it with `format`. */
  exports?: readonly string[];
}

interface RouteInput {
  params: Record<string, string>;
  query: Record<string, string>;
  /** The body's JSON as sent. */
  body: unknown;
}

type Handler = (c: AppContext, ctx: ServiceContext, input: RouteInput) => Promise<Response> | Response;

export const ANYONE: Actor = {
  id: "anyone",
  kind: "system",
  scopes: new Set(),
  requesters: null,
  workspaceId: null,
};

const SMALL_BODY_BYTES = 256 * 1024;

/** What the document says of inputs and of answers: one schema has two shapes, before and after its defaults. */
export const inputs = z.registry<{ id: string }>();
export const outputs = z.registry<{ id: string }>();
inputs.add(PatchOperationSchema, { id: "PatchOperation" });
outputs
  .add(ProblemSchema, { id: "Problem" })
  .add(VibeErrorSchema, { id: "VibeError" })
  .add(BatchOutcomeSchema, { id: "BatchOutcome" })
  .add(PatchEventSchema, { id: "PatchEvent" })
  .add(CustodyRecordSchema, { id: "CustodyRecord" })
  .add(WorkspaceInfoSchema, { id: "WorkspaceInfo" })
  .add(OrderSchema, { id: "Order" })
  .add(TaskSchema, { id: "Task" })
  .add(ProjectSchema, { id: "Project" });

/**
 * Adds one route: who may call it, what it reads, what the API's document says of it. Refusals come in this order:
 * nobody known, a page of another origin, not the scope, no acceptable body; nothing of a body is read before the caller
 * is known.
 */
export function route(app: App, definition: RouteDefinition, handler: Handler): void {
  describe(app, definition);
  const path = definition.path.replaceAll(/\{(\w+)(\.{3})?\}/g, (_, name: string, rest?: string) =>
    rest === undefined ? `:${name}` : `:${name}{.+}`,
  );
  app.on(definition.method.toUpperCase(), path, async (c) => {
    const admitted = await admit(c, definition);
    if (admitted instanceof Response) return admitted;
    const input: RouteInput = { params: c.req.param(), query: c.req.query(), body: undefined };
    if (definition.body) {
      const { maxBodyBytes: maxBytes = SMALL_BODY_BYTES, emptyBody } = definition;
      const read = await readJson(c.req.raw, { maxBytes, emptyBody });
      if (!read.ok) return problem(c, read.error);
      input.body = read.value;
    }
    return handler(c, admitted, input);
  });
}

async function admit(c: AppContext, definition: RouteDefinition): Promise<ServiceContext | Response> {
  const { scope, method, admits, changesState = method !== "get" } = definition;
  const { env } = c;
  const { requestId, log } = c.var;
  if (scope === "public" || scope === "signed") return createContext(env, { actor: ANYONE, requestId, log });
  if (scope === "bearer") {
    const foreign = refuseForeignPage(env, c.req.raw);
    if (foreign) return problem(c, foreign.error);
    if (c.req.header("authorization") === undefined) {
      return problem(c, fail("UNAUTHENTICATED", "send a token as Authorization: Bearer <token>").error);
    }
  }
  const otherwise = admits?.(env, c.req.raw) ?? null;
  const who =
    otherwise === null
      ? await identify(env, c.req.raw, {
          log,
          now: () => new Date(),
          background: (work) => c.executionCtx.waitUntil(work),
        })
      : { ok: true as const, actor: otherwise, ambient: false };
  if (!who.ok) {
    return problem(
      c,
      who.error,
      {},
      isCookieOver(c, who.error) ? { "set-cookie": clearedCookie(env, new URL(c.req.url)) } : {},
    );
  }
  const changes = typeof changesState === "function" ? changesState(c.req.query()) : changesState;
  const forged = who.ambient ? refuseForgery(env, c.req.raw, changes) : null;
  if (forged) return problem(c, forged.error);
  const ctx = createContext(env, { actor: who.actor, requestId, log });
  const denied = scope === "signed-in" || scope === "bearer" ? null : requireScope(ctx, scope);
  return denied ? problem(c, denied.error) : ctx;
}

/**
 * Whether the session's cookie was what was refused: it is of no use to the browser any more. Where it was not sent, or
 * not looked at, nothing is known of it.
 */
const isCookieOver = (c: AppContext, { code }: VibeError): boolean =>
  code === "UNAUTHENTICATED" &&
  c.req.header("authorization") === undefined &&
  hasSessionCookie(c.env, new URL(c.req.url), c.req.header("cookie") ?? null);

const reference = ({ name }: NamedSchema) => ({ $ref: `#/components/schemas/${name}` });

function describe(app: App, definition: RouteDefinition): void {
  const { method, scope, tag, summary, query, response, status = 200, emptyBody, exports = [] } = definition;
  const body = definition.body ?? definition.documents;
  const path = definition.path.replace("...}", "}");
  if (body && !inputs.has(body.schema)) inputs.add(body.schema, { id: body.name });
  if (response && !outputs.has(response.schema)) outputs.add(response.schema, { id: response.name });
  app.openAPIRegistry.registerPath({
    method,
    path,
    tags: [tag],
    summary,
    security: securityOf(scope),
    "x-scope": scope,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
        name,
        in: "path" as const,
        required: true,
        schema: { type: "string" as const },
      })),
      ...(query ? queryParameters(query) : []),
    ],
    request: body
      ? { body: { required: emptyBody === undefined, content: { "application/json": { schema: reference(body) } } } }
      : {},
    responses: {
      [status]: {
        description: status === 101 ? "The socket is open" : "Done",
        ...(response
          ? {
              content: {
                "application/json": { schema: reference(response) },
                ...Object.fromEntries(exports.map((type) => [type, { schema: { type: "string" as const } }])),
              },
            }
          : {}),
      },
      default: {
        description: "Refused: the code says why, the status is the code's",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  });
}

/** Either way of showing who one is; OpenAPI names scopes beside it. */
function securityOf(scope: RouteDefinition["scope"]): Record<string, string[]>[] {
  if (scope === "public") return [];
  if (scope === "signed") return [{ signature: [] }];
  if (scope === "bearer") return [{ token: [] }];
  const scopes = scope === "signed-in" ? [] : [scope];
  return [{ token: scopes }, { session: scopes }];
}

const PropertiesSchema = z.object({ properties: z.record(z.string(), z.record(z.string(), z.json())) });

function queryParameters(query: z.ZodObject) {
  const propertiesOf = (io: "input" | "output") =>
    PropertiesSchema.parse(z.toJSONSchema(query, { io, unrepresentable: "any" })).properties;
  const [written, read] = [propertiesOf("input"), propertiesOf("output")];
  // A coerced number shows in what is read, a text that becomes something else in what is written.
  return Object.keys(read).map((name) => {
    const schema = Object.keys(read[name] ?? {}).length > 0 ? read[name] : written[name];
    return { name, in: "query" as const, required: false, schema: schema ?? {} };
  });
}

/** A body's members; of what is no object, none, so that the verb names what is missing. */
export const fieldsOf = (body: unknown): object => (typeof body === "object" && body !== null ? body : {});
