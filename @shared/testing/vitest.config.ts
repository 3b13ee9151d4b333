import { defineProject } from "vitest/config";

// Some tests start processes: slow on a busy machine, and no test waits for time to pass.
export default defineProject({
  test: { name: "testing", include: ["test/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
});
