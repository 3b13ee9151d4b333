import { z } from "zod";
import { createContext, systemActor } from "../worker/context.ts";
import { getStats } from "../worker/services/analytics/getStats.ts";
import { getTrends } from "../worker/services/analytics/getTrends.ts";
import { readStats } from "../worker/services/analytics/statsQueries.ts";
import { readTrends } from "../worker/services/analytics/trendsQueries.ts";
import { TrendGroupSchema } from "@shared/contracts";

const AskedSchema = z.discriminatedUnion("what", [
  z.object({ what: z.literal("nothing") }),
  z.object({ what: z.literal("stats"), from: z.string(), to: z.string() }),
  z.object({ what: z.literal("trends"), group: TrendGroupSchema, from: z.string(), to: z.string() }),
  z.object({ what: z.literal("rows"), group: TrendGroupSchema.nullable(), from: z.string(), to: z.string() }),
  z.object({ what: z.literal("sql"), statements: z.array(z.string()), parameters: z.array(z.string()) }),
]);

/** Late on the last day of the year that is measured. */
const now = (): Date => new Date("2026-10-31T23:00:00Z");

/** What `npm run bench:analytics` calls: the verbs, and plain SQL, in the same Worker on the same database. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const asked = AskedSchema.parse(await request.json());
    const ctx = createContext(env, { actor: systemActor("bench"), now });
    switch (asked.what) {
      case "nothing":
        return Response.json({});
      case "stats": {
        const { ok } = await getStats(ctx, asked);
        return Response.json({ ok });
      }
      case "trends": {
        const { ok } = await getTrends(ctx, asked);
        return Response.json({ ok });
      }
      case "rows": {
        const { group, ...days } = asked;
        const { rowsRead } =
          group === null
            ? await readStats(env.DB_OPS, days, { project: null, order: null })
            : await readTrends(env.DB_OPS, group, { days, before: BEFORE, project: null, limit: 100 });
        return Response.json({ ok: true, rowsRead });
      }
      case "sql": {
        const { statements, parameters } = asked;
        const results = await env.DB_OPS.batch<Record<string, unknown>>(
          statements.map((statement) => env.DB_OPS.prepare(statement).bind(...parameters)),
        );
        const rowsRead = results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
        return Response.json({ ok: true, rowsRead, first: results.map(({ results: [row] }) => row ?? null) });
      }
    }
  },
};

/** As many days, before: what trends compare with. */
const BEFORE = { from: "2024-11-01", to: "2025-10-31" };
