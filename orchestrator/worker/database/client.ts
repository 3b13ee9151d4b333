import { Kysely, SqliteAdapter } from "kysely";
import { D1Dialect } from "kysely-d1";
import type { ChatsDatabase, HealthDatabase, LogsDatabase, OpsDatabase, ProjectsDatabase } from "./schema.ts";

/** One typed query builder a database. Several statements that belong together go through `batch`, not through here. */
export interface Databases {
  ops: Kysely<OpsDatabase>;
  logs: Kysely<LogsDatabase>;
  projects: Kysely<ProjectsDatabase>;
  chats: Kysely<ChatsDatabase>;
  health: Kysely<HealthDatabase>;
}

/**
 * D1 takes any number of queries at once. SQLite's own adapter says otherwise, and Kysely would then run one query at a
 * time for the whole isolate: a request that ends while its query is under way would hold up all others for good.
 */
class D1Adapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class ConcurrentD1Dialect extends D1Dialect {
  override createAdapter(): SqliteAdapter {
    return new D1Adapter();
  }
}

const known = new WeakMap<Env, Databases>();

/** The query builders of an environment; they hold no connection, so one set serves an isolate. */
export function databasesOf(env: Env): Databases {
  let databases = known.get(env);
  if (!databases) {
    databases = {
      ops: new Kysely<OpsDatabase>({ dialect: new ConcurrentD1Dialect({ database: env.DB_OPS }) }),
      logs: new Kysely<LogsDatabase>({ dialect: new ConcurrentD1Dialect({ database: env.DB_LOGS }) }),
      projects: new Kysely<ProjectsDatabase>({ dialect: new ConcurrentD1Dialect({ database: env.DB_PROJECTS }) }),
      chats: new Kysely<ChatsDatabase>({ dialect: new ConcurrentD1Dialect({ database: env.DB_CHATS }) }),
      health: new Kysely<HealthDatabase>({ dialect: new ConcurrentD1Dialect({ database: env.DB_HEALTH }) }),
    };
    known.set(env, databases);
  }
  return databases;
}
