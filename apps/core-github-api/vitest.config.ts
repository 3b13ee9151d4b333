import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { orchestratorStub } from "@shared/worker-kit/testing/config";
import { defineProject } from "vitest/config";

export default defineProject({
  plugins: [
    cloudflareTest(({ inject }) => ({
      main: "./worker/index.ts",
      wrangler: { configPath: "./wrangler.jsonc" },
      miniflare: {
        ...orchestratorStub,
        bindings: { GITHUB_API_URL: inject("github"), GITHUB_GIT_URL: inject("github") },
      },
    })),
  ],
  test: {
    name: "core-github-api",
    include: ["test/*.test.ts"],
    globalSetup: ["./test/node/githubFixture.ts"],
    testTimeout: 60_000,
  },
});
