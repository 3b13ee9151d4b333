import type { D1Migration } from "@cloudflare/vitest-pool-workers";

declare global {
  namespace Cloudflare {
    interface Env {
      HEALTH_SECRET: string;
      MIGRATIONS: Record<"ops" | "logs" | "projects" | "chats" | "health", D1Migration[]>;
    }
  }
}
