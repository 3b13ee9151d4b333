import { defineProject } from "vitest/config";

/** Mission Control's own arithmetic, without a browser; what it looks like is tested in test/browser. */
export default defineProject({ test: { name: "mission-control", include: ["test/*.test.ts"] } });
