import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "factory-base", include: ["test/**/*.test.ts"] } });
