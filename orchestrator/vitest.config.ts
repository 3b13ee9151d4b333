import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineProject } from "vitest/config";
import { bundleWorker } from "./test/node/githubApi.ts";

const databases = ["ops", "logs", "projects", "chats"] as const;
const migrations = Object.fromEntries(
  await Promise.all(
    databases.map(
      async (name) => [name, await readD1Migrations(`${import.meta.dirname}/../migrations/${name}`)] as const,
    ),
  ),
);

/** Stands where a factory Worker is bound: it answers with what it was asked. The system suite runs the real ones. */
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
    export default { fetch() { return new Response(null, { status: 404 }); } };`,
});

const githubApi = await bundleWorker("core-github-api");
const cloudflareApi = await bundleWorker("core-cloudflare-api");

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
          GITHUB_WEBHOOK_SECRET: "github-webhook-secret-of-the-tests",
          JULES_WEBHOOK_SECRET: "webhook-secret-of-the-tests",
          CODEX_API_KEY: "canary-key-of-codex-0123456789",
          CLAUDE_API_KEY: "canary-key-of-claude-0123456789",
          GEMINI_API_KEY: "canary-key-of-gemini-0123456789",
        },
        workers: [
          ...["agent-factory", "data-factory", "services-factory", "ui-factory"].map(echoFactory),
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
    globalSetup: ["./test/node/engineFixture.ts", "./test/node/accessFixture.ts", "./test/node/providersFixture.ts"],
  },
});
