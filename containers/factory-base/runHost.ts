import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { readConfig } from "./config.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { startHost } from "./host.ts";
import { createLog } from "./log.ts";

const now = () => new Date();
const createProcessLog = (secrets: string[]) =>
  createLog({ write: (line) => process.stderr.write(line), now, secrets });

/**
 * Runs the host with these secrets until it is told to stop, and ends the process: 0 stopped gracefully, 1 could not start
 * or was cut off while stopping, 2 wrong environment.
 */
export async function runHost({
  secrets,
  areShown,
}: {
  secrets: Partial<Record<"ENGINE_TOKEN" | "ORCHESTRATOR_TOKEN", string>>;
  /** The environment that this process was started with holds them, for its user to see. */
  areShown: boolean;
}): Promise<void> {
  const read = readConfig({ ...process.env, ...secrets });
  if (!read.ok) {
    createProcessLog([]).error("wrong environment", { error: read.error.message });
    process.exit(2);
  }
  const { config } = read;
  const log = createProcessLog(Object.values(secrets));
  if (areShown) log.warn("the host's tokens stand in its environment, where agents of its user can read them");

  try {
    const host = await startHost(config, { log, now, mintId: randomUUID });

    // Where it is told of the orchestrator, as patchctl is.
    const { ORCHESTRATOR_URL: url, VIBEHQ_WORKSPACE_ID: container = hostname() } = process.env;
    const { ORCHESTRATOR_TOKEN: token } = secrets;
    const endHeartbeat = url && token ? startHeartbeat({ url, token, container, log }) : async () => undefined;

    let stopping: Promise<void> | null = null;
    const stop = () => {
      stopping ??= Promise.all([host.stop(), endHeartbeat()]).then(
        ([drained]) => process.exit(drained ? 0 : 1),
        (error: unknown) => {
          log.error("could not stop gracefully", { error: String(error) });
          process.exit(1);
        },
      );
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    if (config.stopWithStdin) process.stdin.once("end", stop).once("close", stop).resume();

    process.stdout.write(`${JSON.stringify({ ready: true, url: host.url })}\n`);
  } catch (error) {
    log.error("could not start", { error: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}
