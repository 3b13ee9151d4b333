import { defineProject } from "vitest/config";

export default defineProject({ test: { name: "worker-kit", include: ["test/**/*.test.ts"] } });
