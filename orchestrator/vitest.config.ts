import { readdirSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineProject } from "vitest/config";
import { bundleWorker } from "./test/node/bundleWorker.ts";

const databases = ["ops", "logs", "projects", "chats", "health"] as const;
const migrations = Object.fromEntries(
  await Promise.all(
    databases.map(
      async (name) => [name, await readD1Migrations(`${import.meta.dirname}/../migrations/${name}`)] as const,
    ),
  ),
);

/** The orchestrator is bound to the health of each. */
const apps = readdirSync(`${import.meta.dirname}/../apps`);

/** Stands where a Worker is bound: it answers with what it was asked. The system suite runs the real ones. */
const echoFactory = (name: string) => ({
  name,
  modules: true,
  compatibilityDate: "2026-10-30",
  script: `
    import { WorkerEntrypoint } from "cloudflare:workers";
    export class Factory extends WorkerEntrypoint {
      handleRequest(request) { return { ok: true, data: { factory: "${name}", caller: this.ctx.props.caller, request } }; }
      fulfilPhase(input) { return { ok: false, error: { code: "CONFLICT", message: JSON.stringify(input), retryable: false, nothingWritten: true } }; }
    }
    // Of its health each test says itself what it is like.
    let health = "well";
    export class HealthCheck extends WorkerEntrypoint {
      async become(next) { health = next; }
      async quick() {
        if (health === "throws") throw new Error("a secret cause");
        if (health === "hangs") return new Promise(() => {});
        return { ok: true, quick: { worker: "${name}", worker_type: "factory", version: null, ts: new Date().toISOString() } };
      }
      async execute(check) {
        if (health === "refuses") return { ok: false, error: { code: "HEALTH_CALLBACK_FOREIGN", message: "not yours", retryable: false, nothingWritten: true } };
        if (health === "breaks off") throw new Error("a secret cause");
        if (health === "never ends") return new Promise(() => {});
        return { ok: true, worker_check_uuid: check.worker_check_uuid, delivered: false };
      }
      async result() { return { ok: false, error: { code: "NOT_FOUND", message: "gone", retryable: false, nothingWritten: true } }; }
    }
    export default { fetch() { return new Response(null, { status: 404 }); } };`,
});

const githubApi = await bundleWorker("core-github-api");
const cloudflareApi = await bundleWorker("core-cloudflare-api");
/** Workers of apps/ that are here themselves. */
const real = new Set([githubApi.name, cloudflareApi.name]);

export default defineProject({
  plugins: [
    cloudflareTest(({ inject }) => ({
      main: "./worker/index.ts",
      wrangler: { configPath: "./wrangler.jsonc" },
      miniflare: {
        bindings: {
          MIGRATIONS: migrations,
          ENGINE_URL: inject("engine").url,
          ENGINE_TOKEN: "engine-token-of-the-tests",
          BOOTSTRAP_TOKEN: "bootstrap-token-of-the-tests",
          SESSION_SECRET: "session-secret-of-the-tests",
          HEALTH_SECRET: "health-secret-of-the-tests",
          GITHUB_WEBHOOK_SECRET: "github-webhook-secret-of-the-tests",
          JULES_WEBHOOK_SECRET: "webhook-secret-of-the-tests",
          CODEX_API_KEY: "canary-key-of-codex-0123456789",
          CLAUDE_API_KEY: "canary-key-of-claude-0123456789",
          GEMINI_API_KEY: "canary-key-of-gemini-0123456789",
        },
        workers: [
          ...apps.filter((name) => !real.has(name)).map(echoFactory),
          {
            ...githubApi,
            bindings: {
              GITHUB_API_URL: inject("github").url,
              GITHUB_GIT_URL: inject("github").url,
              GITHUB_OWNER: "acme",
              GITHUB_REPO: "default",
              GITHUB_REPOSITORIES: "acme/*",
              GITHUB_APP_ID: "",
              GITHUB_INSTALLATION_ID: "",
              GITHUB_TOKEN: inject("github").token,
            },
          },
          {
            ...cloudflareApi,
            bindings: {
              CLOUDFLARE_API_URL: inject("cloudflare").url,
              CLOUDFLARE_ACCOUNT_ID: inject("cloudflare").account,
              CLOUDFLARE_API_TOKEN: inject("cloudflare").token,
            },
          },
        ],
      },
    })),
  ],
  test: {
    name: "orchestrator",
    include: ["test/{unit,api,rpc}/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ["./test/setup.ts"],
    silent: "passed-only",
    globalSetup: [
      "./test/node/engineFixture.ts",
      "./test/node/accessFixture.ts",
      "./test/node/providersFixture.ts",
      "./test/node/webhookReceiver.ts",
    ],
  },
});
