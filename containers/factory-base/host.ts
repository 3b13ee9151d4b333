import { mkdir, realpath } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { listenOnSocket, type SocketServer } from "patch-engine/serving";
import { Activity } from "./Activity.ts";
import { AgentRuns } from "./agent-runs/AgentRuns.ts";
import { createApp } from "./app.ts";
import type { HostConfig } from "./config.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { socketPathOf } from "./socketPath.ts";
import { WorkspaceRegistry } from "./WorkspaceRegistry.ts";

export interface RunningHost {
  url: string;
  /**
   * Refuses new work with SHUTTING_DOWN, ends the agents' runs, waits for what runs, closes the engines, then the server. False: something
   * still ran after `drainMs`, and was left to the engine's recovery.
   */
  stop(): Promise<boolean>;
}

/** Starts the host; rejects when its port is taken or its data directory cannot be used. */
export async function startHost(
  config: HostConfig,
  parts: { log: Log; now: () => Date; mintId: () => string },
): Promise<RunningHost> {
  const { log, now, mintId } = parts;
  await mkdir(config.dataDir, { recursive: true });
  // As the paths of sources are compared with it, it is the real one.
  const dataDir = await realpath(config.dataDir);
  const { templates, sourceRoots, maxOpenEngines } = config;
  let socket: string | null = null;
  const registry = new WorkspaceRegistry({
    dataDir,
    templates,
    sourceRoots,
    maxOpenEngines,
    log,
    now,
    mintId,
    socket: () => socket,
  });
  await registry.start();
  const activity = new Activity();
  const agentRuns = new AgentRuns({
    dataDir,
    programs: config.agentPrograms,
    maxRuns: config.maxAgentRuns,
    snapshot: (workspaceId) => registry.snapshot(workspaceId),
    isContained: config.agentsAreContained,
    secrets: [config.token],
    ended: (provider, result) => metrics.agentRun(provider, result),
    now,
    clock: () => performance.now(),
    log,
  });
  await agentRuns.recover();
  const metrics = createMetrics({
    openEngines: () => registry.openEngines,
    workspaces: () => registry.count(),
    running: () => activity.running,
    agentRuns: () => agentRuns.running,
  });
  const app = createApp({ config, registry, agentRuns, activity, metrics, log, mintId, now });

  const socketPath = socketPathOf(dataDir);
  const socketServer = socketPath === null ? null : await listenForPatchctl(socketPath, { registry, activity, log });
  if (socketServer) socket = socketPath;

  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.port, config.hostname, resolve);
  });
  const url = urlOf(server.address());
  log.info("listening", { url, workspaces: await registry.count() });

  return {
    url,
    async stop() {
      log.info("stopping", { running: activity.running });
      const drained = await within(
        config.drainMs,
        // Runs first: no agent outlives its host, and who listens to one is let go by its end.
        agentRuns
          .stop()
          .then(() => activity.stop())
          .then(() => registry.closeAll()),
      );
      await within(config.drainMs, socketServer?.close() ?? Promise.resolve());
      if (!drained) log.error("stopping with requests still running", { running: activity.running });
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if (!drained && "closeAllConnections" in server) server.closeAllConnections();
      });
      log.info("stopped");
      return drained;
    },
  };
}

/** Null, and the reason logged, where it cannot listen there: HTTP does not need it. */
async function listenForPatchctl(
  path: string,
  { registry, activity, log }: { registry: WorkspaceRegistry; activity: Activity; log: Log },
): Promise<SocketServer | null> {
  try {
    const listening = await listenOnSocket(path, {
      rootOf: async (id) => (activity.stopping ? null : registry.rootOf(id)),
      use: (id, work) => activity.run(() => registry.use(id, work)),
      onAnswer: (about) => log.info("command line", about),
      onError: (error) => log.error("a command line failed", { error: String(error) }),
    });
    if (!listening) log.warn("another host of this data directory listens for patchctl");
    return listening;
  } catch (error) {
    log.warn("cannot listen for patchctl", { error: String(error) });
    return null;
  }
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") throw new Error("the host has no port");
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

/** Whether `work` ended within `ms` milliseconds. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
