import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { orchestratorStub } from "@shared/worker-kit/testing/config";
import { defineProject } from "vitest/config";

export default defineProject({
  plugins: [
    cloudflareTest({
      main: "./worker/index.ts",
      wrangler: { configPath: "./wrangler.jsonc" },
      miniflare: orchestratorStub,
    }),
  ],
  test: { name: "data-factory", include: ["test/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
