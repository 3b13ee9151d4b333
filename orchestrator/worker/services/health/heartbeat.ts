import { HeartbeatSchema, type Result, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";

/**
 * A container says that it is there; one that says it for the last time is not expected any more. A caller confined to a
 * workspace speaks for that workspace's container. Needs `events:write`, which a container's token has.
 */
export async function heartbeat(ctx: ServiceContext, input: unknown): Promise<Result<{ next_within_s: number }>> {
  const denied = requireScope(ctx, "events:write");
  if (denied) return denied;
  const parsed = HeartbeatSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { container, every_s, ending, version, workspaces } = parsed.data;
  const name = `container:${ctx.actor.workspaceId ?? container}`;
  const meta = JSON.stringify({ version: version ?? null, workspaces: workspaces ?? null, by: ctx.actor.id });
  await ctx.env.DB_HEALTH.prepare(BEAT)
    .bind(name, ctx.now().toISOString(), ending ? null : every_s, meta)
    .run();
  return { ok: true, next_within_s: every_s };
}

// A container that ended on purpose is expected again with its next beat.
const BEAT = `
  INSERT INTO worker_states (worker_name, kind, heartbeat_at, heartbeat_every_s, heartbeat_meta, updated_at)
  VALUES (?1, 'container', ?2, ?3, ?4, ?2)
  ON CONFLICT (worker_name) DO UPDATE SET heartbeat_at = excluded.heartbeat_at,
    heartbeat_every_s = excluded.heartbeat_every_s, heartbeat_meta = excluded.heartbeat_meta
  WHERE worker_states.kind = 'container'`;
