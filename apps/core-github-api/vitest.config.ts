import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineProject } from "vitest/config";

export default defineProject({
  plugins: [cloudflareTest({ main: "./worker/index.ts", wrangler: { configPath: "./wrangler.jsonc" } })],
  test: { name: "core-github-api", include: ["test/*.test.ts"] },
});
