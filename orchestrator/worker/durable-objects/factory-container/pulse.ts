import { HeartbeatSchema, type WorkspaceId } from "@shared/contracts";
import type { Actor, ServiceContext } from "../../context.ts";
import { heartbeat } from "../../services/health/heartbeat.ts";

/** How long the host may take to say that it is ready. */
const READY_MS = 5_000;

/** Seconds from one beat to the next, as CONTAINER_HEARTBEAT_S says; 30 where it says nothing that a beat may say. */
export function pulseSeconds(said: string | undefined): number {
  const { every_s: pace } = HeartbeatSchema.shape;
  const parsed = pace.safeParse(said === undefined ? undefined : Number(said));
  return parsed.success ? parsed.data : pace.parse(undefined);
}

/** The container of this workspace, by the object that owns it: nothing inside the container can be it. */
export const containerActor = (workspaceId: WorkspaceId): Actor => ({
  id: `container:${workspaceId}`,
  kind: "container",
  scopes: new Set(["events:write"]),
  requesters: null,
  workspaceId,
});

interface Pulse {
  workspaceId: WorkspaceId;
  everyS: number;
}

/**
 * One beat: asks the container's host whether it is ready and, where it says so, tells on its behalf that it is there.
 * True where it was told. A host that does not answer, and a database that does not take it, are a beat that is missing;
 * who watches says what follows. Never throws.
 */
export async function beat(
  ctx: ServiceContext,
  { workspaceId, everyS, ask }: Pulse & { ask: (signal: AbortSignal) => Promise<Response> },
): Promise<boolean> {
  try {
    const response = await ask(AbortSignal.timeout(READY_MS));
    await response.body?.cancel();
    if (response.ok) return await tell(ctx, { workspaceId, everyS, ending: false });
    ctx.log.warn("a container's host is not ready", { workspaceId, status: response.status });
  } catch (error) {
    ctx.log.warn("a container missed a beat", { workspaceId, error });
  }
  return false;
}

/** Its last: it was stopped on purpose and is not expected any more. Never throws. */
export async function lastBeat(ctx: ServiceContext, { workspaceId, everyS }: Pulse): Promise<void> {
  try {
    await tell(ctx, { workspaceId, everyS, ending: true });
  } catch (error) {
    // It will count as missed until it is given up: better than an end that nobody hears of.
    ctx.log.warn("the last beat of a container was not taken", { workspaceId, error });
  }
}

async function tell(
  ctx: ServiceContext,
  { workspaceId, everyS, ending }: Pulse & { ending: boolean },
): Promise<boolean> {
  const told = await heartbeat(ctx, { container: workspaceId, every_s: everyS, ending });
  if (!told.ok) ctx.log.warn("a container's beat was refused", { workspaceId, error: told.error });
  return told.ok;
}
