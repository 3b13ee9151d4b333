import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

await applyD1Migrations(env.DB_OPS, env.MIGRATIONS.ops);
await applyD1Migrations(env.DB_LOGS, env.MIGRATIONS.logs);
await applyD1Migrations(env.DB_PROJECTS, env.MIGRATIONS.projects);
await applyD1Migrations(env.DB_CHATS, env.MIGRATIONS.chats);
await applyD1Migrations(env.DB_HEALTH, env.MIGRATIONS.health);
