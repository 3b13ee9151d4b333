import { type Problem, ProblemSchema, type Scope } from "@shared/contracts";
import { env, exports } from "cloudflare:workers";
import { createContext, systemActor } from "../../worker/context.ts";
import { createToken } from "../../worker/services/auth/createToken.ts";

export const BOOTSTRAP = env.BOOTSTRAP_TOKEN;

export interface CallInit {
  method?: string;
  /** Null: no token. Default: the administrator's. */
  token?: string | null;
  /** Sent as JSON, unless `raw` says otherwise. */
  body?: unknown;
  raw?: BodyInit;
  headers?: Record<string, string>;
}

/** Calls the Worker's own HTTP door. */
export async function call(path: string, init: CallInit = {}): Promise<Response> {
  const { token = BOOTSTRAP, body, raw } = init;
  const sent = raw ?? (body === undefined ? null : JSON.stringify(body));
  return exports.default.fetch(
    new Request(`https://vibehq.test${path}`, {
      method: init.method ?? (sent === null ? "GET" : "POST"),
      headers: {
        ...(sent === null ? {} : { "content-type": "application/json" }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...init.headers,
      },
      body: sent,
    }),
  );
}

export async function answerOf(response: Response): Promise<Record<string, unknown>> {
  return response.json();
}

/** The problem document of a refusal; it holds no stack and no path of a machine. */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  if (/\n\s+at |node_modules|\/(?:home|tmp|work|root)\/|\.ts:\d/.test(text))
    throw new Error(`shows internals: ${text}`);
  if (!response.headers.get("content-type")?.startsWith("application/problem+json")) {
    throw new Error(`${response.status} is no problem document: ${text}`);
  }
  return ProblemSchema.parse(JSON.parse(text));
}

export const admin = () => createContext(env, { actor: systemActor("test") });

export async function tokenWith(
  scopes: readonly Scope[],
  more: { workspaceId?: string; requesters?: string[]; expiresInSeconds?: number } = {},
): Promise<{ token: string; id: string }> {
  const made = await createToken(admin(), { name: "a test's", scopes, ...more });
  if (!made.ok) throw new Error(made.error.message);
  return { token: made.token, id: made.apiToken.id };
}
