import {
  fail,
  FactoryNameSchema,
  type HealthDetail,
  ProbeSchema,
  type Result,
  validationError,
  WorkspaceIdSchema,
} from "@shared/contracts";
import { part, realClock } from "@shared/worker-kit";
import type { ServiceContext } from "../../context.ts";
import { engineAnswers } from "../../integrations/engine.ts";
import { askEngine } from "../workspace/workspaceObject.ts";
import { openWorkspace } from "../workspace/openWorkspace.ts";
import { engineOf } from "../../integrations/engine.ts";

/** Opening copies a template, checking it runs its program. */
const TEMPLATE_MS = 25_000;

/**
 * Looks at what only the orchestrator holds, for the Worker that a binding names: a row of each database, the engine, or
 * the check of that factory's template. Errors: VALIDATION_FAILED, CONFLICT (a template for who is no factory).
 */
export async function probe(
  ctx: ServiceContext,
  input: unknown,
  caller: string,
): Promise<Result<{ details: HealthDetail[] }>> {
  const parsed = ProbeSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  switch (parsed.data.profile) {
    case "database":
      return { ok: true, details: await readDatabases(ctx) };
    case "engine":
      return { ok: true, details: await askForEngine(ctx) };
    case "template": {
      const factory = FactoryNameSchema.safeParse(caller);
      if (!factory.success) return fail("CONFLICT", "only a factory has a template");
      return { ok: true, details: await checkTemplate(ctx, factory.data, parsed.data.version ?? "") };
    }
  }
}

const clock = { clock: realClock };

/** A read of a table of each: that a database answers is not that it was migrated. */
const READS = {
  DB_OPS: "SELECT count(*) AS n FROM (SELECT 1 FROM patch_events LIMIT 1)",
  DB_LOGS: "SELECT count(*) AS n FROM (SELECT 1 FROM operation_logs LIMIT 1)",
  DB_PROJECTS: "SELECT count(*) AS n FROM (SELECT 1 FROM orders LIMIT 1)",
  DB_CHATS: "SELECT count(*) AS n FROM (SELECT 1 FROM messages LIMIT 1)",
  DB_HEALTH: "SELECT count(*) AS n FROM (SELECT 1 FROM test_profiles LIMIT 1)",
} as const;

const readDatabases = ({ env }: ServiceContext): Promise<HealthDetail[]> =>
  Promise.all(
    Object.entries(READS).map(([name, query]) =>
      part(clock, name, { failed: "DATABASE_FAILED", late: "DATABASE_FAILED" }, async () => {
        const database: unknown = Reflect.get(env, name);
        if (!isDatabase(database)) return `${name} is not bound`;
        const read = await database.prepare(query).first("n");
        return typeof read === "number" ? null : `${name} answers with something else than a count`;
      }),
    ),
  );

const isDatabase = (binding: unknown): binding is D1Database => typeof binding === "object" && binding !== null;

const askForEngine = async ({ env }: ServiceContext): Promise<HealthDetail[]> => [
  await part(clock, "engine", { failed: "ENGINE_FAILED", late: "ENGINE_FAILED" }, async (signal) =>
    (await engineAnswers(env, signal)) ? null : "the engine host says that it is not well",
  ),
];

/**
 * The template as the engine host ships it, in a workspace of its own a deployment: a workspace is pinned to what it was
 * opened from, and a later template is another.
 */
async function checkTemplate(ctx: ServiceContext, factory: string, version: string): Promise<HealthDetail[]> {
  const faults = { failed: "TEMPLATE_FAILED", late: "TEMPLATE_FAILED" } as const;
  const suffix = version.replaceAll(/[^A-Za-z0-9]/g, "").slice(0, 12);
  const workspaceId = WorkspaceIdSchema.parse(`health-template-${factory}${suffix === "" ? "" : `-${suffix}`}`);
  const opened = await part(
    clock,
    "open",
    faults,
    async () => {
      const answer = await openWorkspace(ctx, { workspaceId, source: { kind: "template", template: factory } });
      return answer.ok ? null : `${answer.error.code}: ${answer.error.message}`;
    },
    TEMPLATE_MS,
  );
  if (!opened.ok) return [opened];
  const details: HealthDetail[] = [opened];
  const checked = await part(
    clock,
    "check",
    faults,
    async () => {
      const answer = await askEngine(ctx, workspaceId, () => engineOf(ctx.env).validate(workspaceId));
      if (!answer.ok) return `${answer.error.code}: ${answer.error.message}`;
      const wrong = answer.checks.find(({ ok }) => !ok);
      if (!wrong) return null;
      return `${wrong.name}: ${wrong.findings[0]?.message ?? "does not pass"}`;
    },
    TEMPLATE_MS,
  );
  return [...details, checked];
}
