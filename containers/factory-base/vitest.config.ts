import { defineProject } from "vitest/config";

// Each test starts hosts of its own, as processes: slow on a busy machine, and no test waits for time to pass.
export default defineProject({
  test: { name: "factory-base", include: ["test/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
