import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "patch-engine", include: ["test/**/*.test.ts"] } });
