import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { readDevVars, writeDevVars } from "../devVars.ts";
import { migrateLocal } from "../migrations.ts";
import { ROOT } from "../repository.ts";
import { Child } from "../start/children.ts";
import { startEngine } from "../start/engine.ts";
import { freePort } from "../start/ports.ts";
import { claimStore } from "../start/store.ts";
import { startWorkers } from "../start/workers.ts";
import { createCaller } from "./callers.ts";

export interface Stack {
  call: ReturnType<typeof createCaller>["call"];
  end(): Promise<void>;
}

/** Everything that `npm start` starts, on a store of its own that is gone afterwards. */
export async function startOurs(): Promise<Stack> {
  const data = mkdtempSync(path.join(tmpdir(), "bench-apply-"));
  const children: Child[] = [];
  const spawned = async (child: Child): Promise<void> => void children.push(child);
  const release = claimStore(data);
  const end = async (): Promise<void> => {
    for (const child of children.toReversed()) await child.end();
    release();
    rmSync(data, { recursive: true, force: true });
  };
  try {
    writeDevVars();
    await migrateLocal(data);
    const secrets = readDevVars(path.join(ROOT, "orchestrator/.dev.vars"));
    const engine = await startEngine({ data, token: secrets.ENGINE_TOKEN ?? "", sourceRoots: [data], spawned });
    const vars = { ENGINE_URL: engine.url, INSTANCE: "bench" };
    const { url } = await startWorkers({ data, port: await freePort(0), vars, spawned });
    const caller = createCaller({ url, token: secrets.BOOTSTRAP_TOKEN ?? "" });
    return {
      call: caller.call,
      end: async () => {
        caller.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The bare Worker, and an HTTP server that reads what it is sent and answers a line of JSON. */
export async function startBare(): Promise<Stack> {
  const data = mkdtempSync(path.join(tmpdir(), "bench-bare-"));
  const server = createServer((request, response) => {
    buffer(request).then(
      () => response.setHeader("content-type", "application/json").end('{"ok":true}'),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the HTTP server has no port");
  const port = await freePort(0);
  const wrangler = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const child = new Child(
    "the bare Worker",
    process.execPath,
    [
      ["--import", path.join(ROOT, "scripts/start/endWithParent.mjs"), wrangler, "dev"],
      ["-c", path.join(ROOT, "scripts/bench/bareWorker/wrangler.jsonc"), "--persist-to", data],
      ["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--show-interactive-dev-session=false"],
      ["--local", "--var", `HTTP_URL:http://127.0.0.1:${address.port}`],
    ].flat(),
    {
      cwd: ROOT,
      log: path.join(data, "bare.log"),
      env: {
        ...process.env,
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_HIDE_BANNER: "true",
        NO_COLOR: "1",
        WRANGLER_REGISTRY_PATH: path.join(data, "registry"),
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
      },
    },
  );
  const caller = createCaller({ url: `http://127.0.0.1:${port}` });
  const end = async (): Promise<void> => {
    caller.close();
    await child.end();
    server.closeAllConnections();
    server.close();
    rmSync(data, { recursive: true, force: true });
  };
  const deadline = Date.now() + 90_000;
  for (;;) {
    try {
      await caller.call("/", "", "PUT");
      return { call: caller.call, end };
    } catch (error) {
      if (Date.now() > deadline) {
        await end();
        throw error;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
    }
  }
}
