import type { Deployment, Failed } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { SCHEDULE } from "../../schedule.ts";

const RowsSchema = z.array(z.object({ name: z.string() }));

/** What this Worker was deployed with, in names alone; never a value. Needs `admin`. */
export async function inspectDeployment(ctx: ServiceContext, version: string): Promise<Deployment | Failed> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const { env } = ctx;
  const given = Object.entries(env).map(([name, value]: [string, unknown]) => ({ name, value }));
  const databases = given.flatMap(({ name, value }) => (isDatabase(name, value) ? [[name, value] as const] : []));
  const migrations = await Promise.all(
    databases.map(async ([binding, database]) => {
      try {
        const { results } = await database.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
        return [[binding, RowsSchema.parse(results).map(({ name }) => name)] as const];
      } catch (error) {
        ctx.log.warn("a database's migrations cannot be read", { binding, error });
        return [];
      }
    }),
  );
  return {
    ok: true,
    version,
    instance: env.INSTANCE,
    bindings: given
      .filter(({ value }) => typeof value === "object" || typeof value === "function")
      .map(({ name }) => name),
    texts: given.filter(({ value }) => typeof value === "string" && value !== "").map(({ name }) => name),
    migrations: Object.fromEntries(migrations.flat()),
    crons: Object.keys(SCHEDULE),
  };
}

/**
 * Whether a binding is a database, by its name: a binding to another Worker has every property one asks for, and asking
 * calls it.
 */
const isDatabase = (name: string, value: unknown): value is D1Database =>
  name.startsWith("DB_") && typeof value === "object" && value !== null;
