import { Kysely } from "kysely";
import { D1Dialect } from "kysely-d1";
import type { ChatsDatabase, LogsDatabase, OpsDatabase, ProjectsDatabase } from "./schema.ts";

/** One typed query builder a database. Several statements that belong together go through `batch`, not through here. */
export interface Databases {
  ops: Kysely<OpsDatabase>;
  logs: Kysely<LogsDatabase>;
  projects: Kysely<ProjectsDatabase>;
  chats: Kysely<ChatsDatabase>;
}

const known = new WeakMap<Env, Databases>();

/** The query builders of an environment; they hold no connection, so one set serves an isolate. */
export function databasesOf(env: Env): Databases {
  let databases = known.get(env);
  if (!databases) {
    databases = {
      ops: new Kysely<OpsDatabase>({ dialect: new D1Dialect({ database: env.DB_OPS }) }),
      logs: new Kysely<LogsDatabase>({ dialect: new D1Dialect({ database: env.DB_LOGS }) }),
      projects: new Kysely<ProjectsDatabase>({ dialect: new D1Dialect({ database: env.DB_PROJECTS }) }),
      chats: new Kysely<ChatsDatabase>({ dialect: new D1Dialect({ database: env.DB_CHATS }) }),
    };
    known.set(env, databases);
  }
  return databases;
}
