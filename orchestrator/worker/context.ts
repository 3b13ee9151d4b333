import { type CredentialKind, type Failed, fail, type Scope } from "@shared/contracts";
import { createLogger, type Logger } from "@shared/worker-kit";
import { type Databases, databasesOf } from "./database/client.ts";
import { allSecrets } from "./services/secrets/secretService.ts";

/** What a caller showed, which can end: by itself, or by being revoked. */
export interface Credential {
  kind: CredentialKind | "ticket";
  /** A token's, session's or ticket's id, `bootstrap`, or the subject of an Access JWT. */
  id: string;
  expiresAt: string | null;
}

/** Who calls, as a door established it: from a token, a binding's props or this Worker itself, never from the payload. */
export interface Actor {
  /** `token:<id>`, `user:<email>`, `factory:<name>`, `container:<workspace>`, `system:<part>`. */
  id: string;
  kind: "token" | "user" | "factory" | "container" | "system";
  scopes: ReadonlySet<Scope>;
  /** Whom it may name as `requester`; null: anyone. */
  requesters: readonly string[] | null;
  /** The one workspace it may touch; null: any. */
  workspaceId: string | null;
  /** Absent where the caller is one of our own parts. */
  credential?: Credential;
}

/** What every verb is given. Time and ids come from here, so that tests own them. */
export interface ServiceContext {
  env: Env;
  db: Databases;
  actor: Actor;
  requestId: string;
  log: Logger;
  now(): Date;
  /** A fresh id: 128 random bits or more, usable wherever an id of contracts is. */
  mintId(): string;
}

export interface ContextOptions {
  actor: Actor;
  requestId?: string | undefined;
  log?: Logger;
  now?: () => Date;
  mintId?: () => string;
}

/** The Worker's logger: no secret of the environment ever stands in a line. */
export const loggerOf = (env: Env): Logger =>
  createLogger({
    fields: { worker: "orchestrator", instance: env.INSTANCE },
    secrets: allSecrets(env),
  });

export function createContext(env: Env, options: ContextOptions): ServiceContext {
  const { actor, now = () => new Date(), mintId = () => crypto.randomUUID() } = options;
  const requestId = options.requestId ?? mintId();
  return {
    env,
    db: databasesOf(env),
    actor,
    requestId,
    log: (options.log ?? loggerOf(env)).child({ requestId, actor: actor.id }),
    now,
    mintId,
  };
}

/** This Worker itself: cron, alarms, sinks. */
export const systemActor = (part: string): Actor => ({
  id: `system:${part}`,
  kind: "system",
  scopes: new Set<Scope>(["admin"]),
  requesters: null,
  workspaceId: null,
});

/** A factory, named by the props of its binding. */
export const factoryActor = (name: string): Actor => ({
  id: `factory:${name}`,
  kind: "factory",
  scopes: new Set<Scope>([
    "workspaces:read",
    "workspaces:write",
    "patches:read",
    "patches:write",
    "patches:revert",
    "events:write",
    "orders:read",
    "orders:write",
    "tasks:read",
    "tasks:write",
    "delivery:read",
    "delivery:write",
    // Its own orders' alone. Answering people's questions is not a factory's: it has no hil:write.
    "ai:read",
    "ai:write",
    "hil:read",
    "logs:write",
    "ops:write",
  ]),
  requesters: null,
  workspaceId: null,
});

export const isAdmin = (actor: Actor): boolean => actor.scopes.has("admin");

const hasScope = (actor: Actor, scope: Scope): boolean => isAdmin(actor) || actor.scopes.has(scope);

/** FORBIDDEN, naming the scope, unless the caller has it. */
export const requireScope = (ctx: Pick<ServiceContext, "actor">, scope: Scope): Failed | null =>
  hasScope(ctx.actor, scope) ? null : fail("FORBIDDEN", `this needs the scope ${scope}`);

/** FORBIDDEN unless the caller may speak for this requester. */
export const requireRequester = (ctx: Pick<ServiceContext, "actor">, requester: string): Failed | null =>
  ctx.actor.requesters === null || ctx.actor.requesters.includes(requester)
    ? null
    : fail("FORBIDDEN", `this token may not speak for the requester ${JSON.stringify(requester)}`);

/** FORBIDDEN where the caller is confined to another workspace. */
export const requireWorkspace = (ctx: Pick<ServiceContext, "actor">, workspaceId: string): Failed | null =>
  ctx.actor.workspaceId === null || ctx.actor.workspaceId === workspaceId
    ? null
    : fail("FORBIDDEN", "this token is confined to another workspace");
