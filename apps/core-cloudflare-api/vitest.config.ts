import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineProject } from "vitest/config";

export default defineProject({
  plugins: [
    cloudflareTest(({ inject }) => ({
      main: "./worker/index.ts",
      wrangler: { configPath: "./wrangler.jsonc" },
      miniflare: { bindings: { CLOUDFLARE_API_URL: inject("cloudflare").url } },
    })),
  ],
  test: {
    name: "core-cloudflare-api",
    include: ["test/*.test.ts"],
    globalSetup: ["./test/node/cloudflareFixture.ts"],
    testTimeout: 60_000,
  },
});
