import { defineProject } from "vitest/config";

/** Whole Workers and real processes: in Node, beside the Workers pool of `test/*.test.ts`. */
export default defineProject({
  test: { name: "agent-factory-system", include: ["*.test.ts"], testTimeout: 60_000, hookTimeout: 120_000 },
});
