import { defineProject } from "vitest/config";

/** A runtime of its own and real sockets: in Node, beside the Workers pool. */
export default defineProject({
  test: {
    name: "orchestrator-system",
    include: ["*.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    silent: "passed-only",
  },
});
