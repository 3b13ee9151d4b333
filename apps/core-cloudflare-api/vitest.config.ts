import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { orchestratorStub } from "@shared/worker-kit/testing/config";
import { defineProject } from "vitest/config";

export default defineProject({
  plugins: [
    cloudflareTest(({ inject }) => ({
      main: "./worker/index.ts",
      wrangler: { configPath: "./wrangler.jsonc" },
      miniflare: { ...orchestratorStub, bindings: { CLOUDFLARE_API_URL: inject("cloudflare").url } },
    })),
  ],
  test: {
    name: "core-cloudflare-api",
    include: ["test/*.test.ts"],
    globalSetup: ["./test/node/cloudflareFixture.ts"],
    testTimeout: 60_000,
  },
});
