import {
  type ExportFormat,
  type Failed,
  StatsQuerySchema,
  StatsSchema,
  TrendsQuerySchema,
  TrendsSchema,
} from "@shared/contracts";
import { type AnswerContext, respond } from "@shared/worker-kit";
import { z } from "zod";
import { type Export, exported } from "../../services/analytics/exportRows.ts";
import { statsExport, trendsExport } from "../../services/analytics/exports.ts";
import { getStats } from "../../services/analytics/getStats.ts";
import { getTrends } from "../../services/analytics/getTrends.ts";
import { rebuildRollups } from "../../services/analytics/rebuildRollups.ts";
import { exportPatchLogs } from "../../services/patch/exportPatchLogs.ts";
import { ListPatchLogsSchema, listPatchLogs, PatchLogRowSchema } from "../../services/patch/listPatchLogs.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Analytics";
const exports = ["text/csv", "application/x-ndjson"];

/** `/api/analytics/*` are the same verbs as `/api/patches/*`. */
export function analyticsRoutes(app: App): void {
  for (const prefix of ["/api/patches", "/api/analytics"]) {
    logsRoute(app, prefix);
    statsRoute(app, prefix);
    trendsRoute(app, prefix);
  }
  route(
    app,
    {
      method: "post",
      path: "/api/analytics/rebuild",
      scope: "admin",
      tag,
      summary: "Make the rollups anew from the events on record",
      response: { name: "RollupsRebuilt", schema: rebuiltSchema },
    },
    async (c, ctx) => respond(c, await rebuildRollups(ctx)),
  );
}

const rebuiltSchema = z.object({ ok, days: z.number(), events: z.number() });
const logsSchema = z.object({ ok, results: z.array(PatchLogRowSchema), cursor: z.string().nullable() });

function logsRoute(app: App, prefix: string): void {
  route(
    app,
    {
      method: "get",
      path: `${prefix}/logs`,
      scope: "patches:read",
      tag,
      summary: "The log of patch events",
      query: ListPatchLogsSchema,
      response: { name: "PatchLogs", schema: logsSchema },
      exports,
    },
    async (c, ctx, { query }) => {
      const format = exportFormatOf(query);
      if (format === null) return respond(c, await listPatchLogs(ctx, query));
      const result = await exportPatchLogs(ctx, query, format);
      return result.ok ? exported(result.export) : respond(c, result);
    },
  );
}

function statsRoute(app: App, prefix: string): void {
  route(
    app,
    {
      method: "get",
      path: `${prefix}/stats`,
      scope: "patches:read",
      tag,
      summary: "Counts, shares and durations of patches by day, factory, operation, provider and error",
      query: StatsQuerySchema,
      response: { name: "PatchStats", schema: StatsSchema },
      exports,
    },
    async (c, ctx, { query }) => answered(c, query, await getStats(ctx, query), statsExport),
  );
}

function trendsRoute(app: App, prefix: string): void {
  route(
    app,
    {
      method: "get",
      path: `${prefix}/trends`,
      scope: "patches:read",
      tag,
      summary: "How patches went by week, day, phase, order or provider, beside the period before, and what stands out",
      query: TrendsQuerySchema,
      response: { name: "PatchTrends", schema: TrendsSchema },
      exports,
    },
    async (c, ctx, { query }) => answered(c, query, await getTrends(ctx, query), trendsExport),
  );
}

/** What is no format is left to the verb, which refuses it. */
const exportFormatOf = ({ format }: Record<string, string>): Exclude<ExportFormat, "json"> | null =>
  format === "csv" || format === "ndjson" ? format : null;

function answered<T extends { ok: true }>(
  c: AnswerContext,
  query: Record<string, string>,
  result: T | Failed,
  exportOf: (answer: T, format: Exclude<ExportFormat, "json">) => Export,
): Response {
  const format = exportFormatOf(query);
  return result.ok && format !== null ? exported(exportOf(result, format)) : respond(c, result);
}
