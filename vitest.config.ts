import { defineConfig } from "vitest/config";

/** One run, one summary: every suite that needs no container engine and no model CLI is a project here. */
export default defineConfig({
  test: {
    // What Workers log in passing is only shown of tests that fail.
    silent: "passed-only",
    projects: [
      "@shared/*/vitest.config.ts",
      "containers/*/vitest.config.ts",
      "orchestrator/vitest.config.ts",
      "orchestrator/src/vitest.config.ts",
      "orchestrator/test/system/vitest.config.ts",
      "apps/*/vitest.config.ts",
      "apps/*/test/system/vitest.config.ts",
      "scripts/vitest.config.ts",
    ],
  },
});
