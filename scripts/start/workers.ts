import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { readDevVars } from "../devVars.ts";
import { persistDirectory } from "../migrations.ts";
import { listWorkers, ROOT } from "../repository.ts";
import { Child } from "./children.ts";
import { StartError } from "./options.ts";

/** How long bundling and starting may take on a slow machine before it counts as failed; the first image takes longer. */
const READY_MS = 90_000;
const READY_WITH_IMAGE_MS = 300_000;

/** Starts every Worker in one `wrangler dev`, the orchestrator first, and waits until its health check answers. */
export async function startWorkers(options: {
  data: string;
  port: number;
  vars: Record<string, string>;
  /** Configurations in place of a Worker's own, by its name. */
  configs?: Record<string, string>;
  /** The orchestrator's configuration with containers on. */
  containers?: boolean;
  spawned(child: Child): Promise<void>;
}): Promise<{ url: string; child: Child }> {
  const url = `http://127.0.0.1:${options.port}`;
  const logs = path.join(options.data, "logs");
  const log = path.join(logs, "workers.log");
  const args = [
    [
      "--import",
      path.join(ROOT, "scripts/start/endWithParent.mjs"),
      path.join(ROOT, "node_modules/wrangler/bin/wrangler.js"),
      "dev",
    ],
    listWorkers().flatMap(({ name, directory, configPath }) => [
      "-c",
      name === "vibehq-orchestrator"
        ? path.join(directory, options.containers === true ? "wrangler.containers.jsonc" : "wrangler.local.jsonc")
        : (options.configs?.[name] ?? configPath),
    ]),
    // Of the orchestrator, the first of them. Keys of providers may also stand in the caller's environment.
    ["--env-file", path.join(ROOT, "orchestrator/.dev.vars")],
    ["--persist-to", persistDirectory(options.data), "--ip", "127.0.0.1", "--port", String(options.port)],
    ["--inspector-port", "0", "--show-interactive-dev-session=false", "--local"],
    Object.entries(options.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ].flat();
  const child = new Child("the Workers", process.execPath, args, {
    cwd: ROOT,
    log,
    env: {
      ...process.env,
      // This instance's own stand in .dev.vars, where the engine's host has them from; the environment would win.
      ...Object.fromEntries(
        Object.keys(readDevVars(path.join(ROOT, "orchestrator/.dev.vars"))).map((name) => [name, undefined]),
      ),
      // Nothing is reported, looked up or shared with other instances on this machine.
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_SEND_ERROR_REPORTS: "false",
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_LOG_PATH: path.join(logs, "wrangler"),
      WRANGLER_REGISTRY_PATH: path.join(options.data, "registry"),
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      NO_COLOR: "1",
    },
  });
  await options.spawned(child);

  let failure: string | null = null;
  let buildFailed = false;
  child.onLine((line) => {
    const error = /\[ERROR\]\s*(.*)/.exec(stripVTControlCharacters(line))?.[1];
    // "Build failed with 1 error:" announces the line that says which.
    if (error && /build failed|failed to start/i.test(error)) buildFailed = true;
    else if (error) failure ??= error.trim();
  });
  const ended = child.exited.then((code) => {
    if (/address already in use/i.test(failure ?? "")) throw new StartError(portInUse(options.port));
    throw new StartError(`The Workers did not start (${failure ?? `exit ${code ?? "by a signal"}`}); see ${log}.`);
  });
  await Promise.race([ended, answers()]);
  return { url, child };

  async function answers(): Promise<void> {
    const patience = options.containers === true ? READY_WITH_IMAGE_MS : READY_MS;
    const deadline = Date.now() + patience;
    let last = "no answer";
    while (Date.now() < deadline) {
      if (buildFailed) {
        await sleep(100); // for the line with the reason
        throw new StartError(`The Workers did not start (${failure ?? "their build failed"}); see ${log}.`);
      }
      try {
        const response = await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(10_000) });
        await response.arrayBuffer();
        if (response.ok) return;
        last = `HTTP ${response.status}`;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      await sleep(100);
    }
    throw new StartError(`The Workers did not answer within ${patience / 1000} s (${failure ?? last}); see ${log}.`);
  }
}

export const portInUse = (port: number): string =>
  `Port ${port} is in use. End what listens there, or choose another with --port N.`;
