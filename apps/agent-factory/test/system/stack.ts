import { randomBytes } from "node:crypto";
import path from "node:path";
import { createClient, type Client } from "@shared/client";
import { startEngineHost, type RunningEngineHost } from "@shared/testing";
import { createTestHarness, type TestHarness } from "wrangler";

const root = path.resolve(import.meta.dirname, "../../../..");

/** The whole of it: orchestrator, factories and both proxies as Workers, and the engine host as the process it is. */
export interface Stack {
  url: string;
  token: string;
  client: Client;
  engine: RunningEngineHost;
  harness: TestHarness;
  stop(): Promise<void>;
}

const FACTORIES = ["agent-factory", "data-factory", "services-factory", "ui-factory"];

export async function startStack(): Promise<Stack> {
  const templates = Object.fromEntries(FACTORIES.map((name) => [name, path.join(root, "apps", name, "template")]));
  const engine = await startEngineHost({ templates });
  const token = randomBytes(24).toString("hex");
  const harness = createTestHarness({
    root,
    workers: [
      {
        configPath: "orchestrator/wrangler.jsonc",
        vars: { ENGINE_URL: engine.url, INSTANCE: "system-test" },
        secrets: {
          ENGINE_TOKEN: engine.token,
          BOOTSTRAP_TOKEN: token,
          SESSION_SECRET: randomBytes(24).toString("hex"),
        },
      },
      ...[...FACTORIES, "core-cloudflare-api", "core-github-api"].map((name) => ({
        configPath: `apps/${name}/wrangler.jsonc`,
      })),
    ],
  });
  const stop = async (): Promise<void> => {
    await harness.close();
    await engine.stop();
  };
  try {
    const { url } = await harness.listen();
    const orchestrator = harness.getWorker();
    for (const database of ["DB_OPS", "DB_LOGS", "DB_PROJECTS", "DB_CHATS", "DB_HEALTH"]) {
      await orchestrator.applyD1Migrations(database);
    }
    return { url: url.href, token, client: createClient({ url: url.href, token }), engine, harness, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
