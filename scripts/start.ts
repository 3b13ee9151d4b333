import path from "node:path";
import { z } from "zod";
import { buildClient, BuildError } from "./buildClient.ts";
import { readDevVars, writeDevVars } from "./devVars.ts";
import { migrateLocal, StoreError } from "./migrations.ts";
import { ROOT } from "./repository.ts";
import { runSampleOrder } from "./sampleOrder.ts";
import type { Child } from "./start/children.ts";
import { startCron } from "./start/cron.ts";
import { startEngine } from "./start/engine.ts";
import { guide } from "./start/guide.ts";
import { parseOptions, StartError, type StartOptions } from "./start/options.ts";
import { freePort } from "./start/ports.ts";
import { sourceRootsOf } from "./start/sourceRoots.ts";
import { claimStore } from "./start/store.ts";
import { startWorkers } from "./start/workers.ts";

/** All children, in the order they started; they end in the reverse order, so that no Worker loses its engine first. */
const children: Child[] = [];
const endChildren = async (): Promise<void> => {
  for (const child of children.toReversed()) await child.end();
};
const spawned = async (child: Child): Promise<void> => {
  children.push(child);
  if (interrupted) await child.end();
};

// A signal ends the children at once; whatever step was waiting for them fails, and that ends the run.
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interrupted = true;
    void endChildren();
  });
}

async function isEmptyStore(url: string, token: string): Promise<boolean> {
  const response = await fetch(`${url}/api/orders?limit=1`, { headers: { authorization: `Bearer ${token}` } });
  const body = z.object({ orders: z.array(z.unknown()) }).safeParse(await response.json());
  if (!response.ok || !body.success) throw new StartError(`The orders cannot be listed (HTTP ${response.status}).`);
  return body.data.orders.length === 0;
}

async function start(options: StartOptions): Promise<number> {
  const say = (line: string): boolean => (options.json ? process.stderr : process.stdout).write(`${line}\n`);

  const port = await freePort(options.port);
  const release = claimStore(options.data);
  let stopCron: (() => void) | null = null;
  try {
    for (const file of writeDevVars()) say(`Wrote ${file} with random secrets.`);
    for (const line of await migrateLocal(options.data)) say(`Applied ${line}`);
    if ((await buildClient()) === "built") say("Built Mission Control.");

    const secrets = readDevVars(path.join(ROOT, "orchestrator/.dev.vars"));
    const token = secrets.BOOTSTRAP_TOKEN ?? "";
    const engine = await startEngine({
      data: options.data,
      token: secrets.ENGINE_TOKEN ?? "",
      sourceRoots: options.repo === null ? [] : sourceRootsOf(options.repo),
      spawned,
    });
    const workers = await startWorkers({
      data: options.data,
      port,
      // Ports of one host share cookies: the instance's name keeps the sessions of two of them apart.
      vars: { ENGINE_URL: engine.url, INSTANCE: `port-${port}` },
      spawned,
    });
    const { url } = workers;

    if (options.once || (await isEmptyStore(url, token))) {
      const { ok, lines } = await runSampleOrder({
        url,
        token,
        ...(options.repo === null ? {} : { repo: options.repo }),
        log: say,
      });
      for (const line of lines) say(line);
      if (options.once) return ok ? 0 : 1;
      if (!ok) say("The sample order was not fulfilled; the instance runs nevertheless.");
    }
    if (options.json) process.stdout.write(`${JSON.stringify({ url, token, engineUrl: engine.url })}\n`);
    const github = readDevVars(path.join(ROOT, "apps/core-github-api/.dev.vars"));
    const hasGithub = (github.GITHUB_TOKEN ?? github.GITHUB_APP_PRIVATE_KEY ?? "") !== "";
    say(guide({ url, token, engineUrl: engine.url, data: options.data, github: hasGithub }));

    if (options.cron) stopCron = startCron({ url, say });
    const ended = await Promise.race(children.map((child) => child.exited.then(() => child.name)));
    throw new StartError(`${ended} ended unexpectedly; see ${path.join(options.data, "logs")}.`);
  } finally {
    stopCron?.();
    await endChildren();
    release();
  }
}

async function main(): Promise<number> {
  try {
    return await start(parseOptions(process.argv.slice(2)));
  } catch (error) {
    // What ends because it was asked to is no failure, and 130 is what shells call an interruption.
    if (interrupted) return 130;
    if (error instanceof StartError || error instanceof BuildError) console.error(error.message);
    else if (error instanceof StoreError) console.error(`The store cannot be used: ${error.message}.`);
    else throw error;
    return 1;
  }
}

process.exit(await main());
