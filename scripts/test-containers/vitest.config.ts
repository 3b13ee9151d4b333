import { defineConfig } from "vitest/config";

/** Outside of `npm test`: it needs a container engine. `npm run test:containers` finds one, builds the images, runs it. */
export default defineConfig({
  test: {
    name: "containers",
    include: ["*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 400_000,
  },
});
