import {
  fail,
  type Result,
  workspaceIdOf,
  WorkspaceIdSchema,
  type WorkspaceAddress,
  workspaceObjectName,
} from "@shared/contracts";
import { requireWorkspace, type ServiceContext } from "../../context.ts";
import { type Moved, workspaceObject, type WorkspaceRpc } from "../../durable-objects/workspace/rpc.ts";
import { type Engine, engineOf } from "../../integrations/engine.ts";

/** How often a call whose object was lost in the middle is made again; every such call is idempotent. */
const ATTEMPTS = 3;
/** Orders that lead on one after the other before they count as leading nowhere. */
const MAX_MOVES = 8;

/** Orders that work in another workspace. An alias never changes once it is set. */
const aliases = new Map<string, string>();
const MAX_ALIASES = 10_000;

function remember(orderWorkspace: string, workspaceId: string): void {
  if (aliases.size >= MAX_ALIASES) aliases.clear();
  aliases.set(orderWorkspace, workspaceId);
}

export function stubOf(env: Env, workspaceId: string): WorkspaceRpc {
  const id = WorkspaceIdSchema.parse(workspaceId);
  return workspaceObject(env, workspaceObjectName(id));
}

/** WORKSPACE_UNRESOLVED where the address names no workspace. Reads nothing. */
export function addressed(address: WorkspaceAddress): Result<{ workspaceId: string }> {
  const workspaceId = workspaceIdOf(address);
  return workspaceId === null
    ? fail("WORKSPACE_UNRESOLVED", "name a workspace, an order, or a project with its branch")
    : { ok: true, workspaceId };
}

/** The workspace an address leads to, an order's alias followed. FORBIDDEN where the caller is confined to another. */
export async function resolveWorkspace(
  ctx: ServiceContext,
  address: WorkspaceAddress,
): Promise<Result<{ workspaceId: string }>> {
  const named = addressed(address);
  if (!named.ok) return named;
  let { workspaceId } = named;
  if (workspaceId.startsWith("order:")) {
    const alias = aliases.get(workspaceId) ?? (await stubOf(ctx.env, workspaceId).alias());
    if (alias !== null) {
      remember(workspaceId, alias);
      workspaceId = alias;
    }
  }
  return requireWorkspace(ctx, workspaceId) ?? { ok: true, workspaceId };
}

/**
 * Calls the object of a workspace, following an order's alias. An object that is reset in the middle is asked again:
 * `call` must be idempotent. Throws what the last attempt threw.
 */
export async function inWorkspace<T extends object>(
  ctx: ServiceContext,
  workspaceId: string,
  call: (stub: WorkspaceRpc, workspaceId: string) => Promise<T | Moved>,
): Promise<{ ok: true; workspaceId: string; answer: T } | ReturnType<typeof fail>> {
  let id = aliases.get(workspaceId) ?? workspaceId;
  // A confined caller may name its workspace by an order that works there.
  if (ctx.actor.workspaceId !== null && id !== ctx.actor.workspaceId && id.startsWith("order:")) {
    id = (await stubOf(ctx.env, id).alias()) ?? id;
  }
  for (let attempt = 1, moves = 0; ;) {
    const denied = requireWorkspace(ctx, id);
    if (denied) return denied;
    if (moves > MAX_MOVES) return fail("WORKSPACE_UNRESOLVED", "the order leads from workspace to workspace");
    try {
      const answer = await call(stubOf(ctx.env, id), id);
      if (!("movedTo" in answer)) return { ok: true, workspaceId: id, answer };
      remember(id, answer.movedTo);
      id = answer.movedTo;
      moves += 1;
    } catch (error) {
      ctx.log.warn("a workspace's object was lost in the middle of a call", { workspaceId: id, attempt, error });
      if (attempt === ATTEMPTS) throw error;
      attempt += 1;
    }
  }
}

/** Asks the engine something that writes nothing. A workspace it has lost is rebuilt first. */
export async function askEngine<T extends object>(
  ctx: ServiceContext,
  workspaceId: string,
  ask: (engine: Engine) => Promise<Result<T>>,
): Promise<Result<T>> {
  const engine = engineOf(ctx.env);
  const answer = await ask(engine);
  if (answer.ok || answer.error.code !== "WORKSPACE_NOT_FOUND") return answer;
  const restored = await inWorkspace(ctx, workspaceId, (stub, id) => stub.restore(id));
  if (!restored.ok) return restored;
  return restored.answer.ok ? ask(engine) : restored.answer;
}
