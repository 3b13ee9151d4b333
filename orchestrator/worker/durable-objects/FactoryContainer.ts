import { createHmac } from "node:crypto";
import { Container } from "@cloudflare/containers";
import { type WorkspaceId, WorkspaceIdSchema, workspaceObjectName } from "@shared/contracts";
import { createContext, loggerOf } from "../context.ts";
import { beat, containerActor, lastBeat, pulseSeconds } from "./factory-container/pulse.ts";
import { workspaceObject } from "./workspace/rpc.ts";

/** Where the image's engine host listens. */
const ENGINE_PORT = 8080;
/** The method that beats, as the schedule of the object names it. */
const PULSE = "pulse" satisfies keyof FactoryContainer;
/** Where the id of the workspace stands in storage: an alarm may wake an object that is not told its name. */
const WORKSPACE_KEY = "workspaceId";

/**
 * The container of one workspace. The object's name is the workspace's id, so there is never a second instance of it,
 * and an agent inside sees no workspace but its own. Its disk lives as long as it runs, and may be lost at any moment:
 * the Workspace object holds source and log, finds the workspace missing on its next call, and rebuilds it.
 *
 * Constructed only where containers are on (wrangler.containers.jsonc); only `integrations/engine.ts` reaches it.
 */
export class FactoryContainer extends Container<
  Env & { CONTAINER_SLEEP_AFTER?: string; CONTAINER_HEARTBEAT_S?: string; ENGINE_PUSH_REMOTES?: string }
> {
  override defaultPort = ENGINE_PORT;
  /** Counted from the end of the last call through this object; edits made inside do not lengthen it. "90s", "10m", "2h". */
  override sleepAfter = this.env.CONTAINER_SLEEP_AFTER ?? "10m";
  override pingEndpoint = "engine/readyz";
  readonly #pulseSeconds = pulseSeconds(this.env.CONTAINER_HEARTBEAT_S);

  /**
   * Passes a call on to the engine host, starting the container where it does not run. The token is derived for this
   * container alone: whoever reads it inside can do nothing with it elsewhere. Where no host answers, the answer is
   * text with a status of 429 or above.
   */
  override async fetch(request: Request): Promise<Response> {
    const workspaceId = this.ctx.id.name;
    if (workspaceId === undefined) return new Response("a container is reached by its workspace's id", { status: 400 });
    this.ctx.storage.kv.put(WORKSPACE_KEY, workspaceId);
    const token = createHmac("sha256", this.env.ENGINE_TOKEN).update(`factory-container:${workspaceId}`).digest("hex");
    const { ENGINE_PUSH_REMOTES: remotes } = this.env;
    this.envVars = {
      ENGINE_TOKEN: token,
      VIBEHQ_WORKSPACE_ID: workspaceId,
      ...(remotes === undefined ? {} : { ENGINE_PUSH_REMOTES: remotes }),
    };
    const headers = new Headers(request.headers);
    headers.set("authorization", `Bearer ${token}`);
    return this.containerFetch(new Request(request, { headers }), ENGINE_PORT);
  }

  /** From here on it beats: `pulse` by `pulse`, kept in storage, so that an object that was reset goes on with it. */
  override async onStart(): Promise<void> {
    await this.#beatIn(0);
  }

  /**
   * Says that the container is there, where its host answers, and when to say it next. It is said here and not inside: a
   * token that may speak for the container would lie open to every agent that runs in it. Asked past the activity timer,
   * since a beat is no work that keeps a container awake.
   */
  async pulse(): Promise<void> {
    const workspaceId = this.#workspace();
    const { container } = this.ctx;
    // One that does not run is silent, and starts to beat again with its next start.
    if (workspaceId === null || container?.running !== true) return;
    await beat(this.#context(workspaceId), {
      workspaceId,
      everyS: this.#pulseSeconds,
      ask: (signal) => container.getTcpPort(ENGINE_PORT).fetch("http://engine/readyz", { signal }),
    });
    await this.#beatIn(this.#pulseSeconds);
  }

  /** A host that was told to stop ends with 0. Whatever else ended it was not meant: it is missed. */
  override async onStop(): Promise<void> {
    const state = await this.getState();
    if (state.status === "stopped_with_code" && state.exitCode === 0) await this.#endPulse();
  }

  /** Before the disk goes, what `patchctl` did on its own is taken into the record. Until that is done, the container stays. */
  override async onActivityExpired(): Promise<void> {
    const workspaceId = this.#workspace();
    if (workspaceId !== null && this.ctx.container?.running === true) {
      const taken = await workspaceObject(this.env, workspaceObjectName(workspaceId)).restore(workspaceId);
      if (!("movedTo" in taken) && !taken.ok && taken.error.code !== "WORKSPACE_NOT_FOUND") {
        loggerOf(this.env).warn("a container stays awake: its log could not be read", {
          workspaceId,
          error: taken.error,
        });
        return;
      }
    }
    await this.#endPulse();
    await this.stop();
  }

  override onError(error: unknown): never {
    loggerOf(this.env).warn("a container failed", { workspaceId: this.ctx.id.name, error });
    throw error;
  }

  #workspace(): WorkspaceId | null {
    return WorkspaceIdSchema.safeParse(this.ctx.storage.kv.get(WORKSPACE_KEY)).data ?? null;
  }

  #context(workspaceId: WorkspaceId) {
    return createContext(this.env, { actor: containerActor(workspaceId) });
  }

  async #beatIn(seconds: number): Promise<void> {
    this.deleteSchedules(PULSE);
    await this.schedule(seconds, PULSE);
  }

  async #endPulse(): Promise<void> {
    this.deleteSchedules(PULSE);
    const workspaceId = this.#workspace();
    if (workspaceId !== null) {
      await lastBeat(this.#context(workspaceId), { workspaceId, everyS: this.#pulseSeconds });
    }
  }
}
