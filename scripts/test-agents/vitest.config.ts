import { defineConfig } from "vitest/config";

/** Outside of `npm test`: it needs the CLI agents. `npm run test:agents` installs them and runs it. */
export default defineConfig({
  test: {
    name: "agents",
    include: ["*.test.ts"],
    fileParallelism: false,
    maxConcurrency: 3,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
