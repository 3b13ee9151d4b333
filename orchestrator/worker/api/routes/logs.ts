import { OperationLogSchema, ScheduleStateSchema, WriteLogsSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { exported } from "../../services/analytics/exportRows.ts";
import { exportLogs } from "../../services/logging/exportLogs.ts";
import { listLogs, ListLogsSchema } from "../../services/logging/listLogs.ts";
import { writeLogs } from "../../services/logging/writeLogs.ts";
import { listSchedules } from "../../services/schedule/listSchedules.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Logs";

export function logRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/logs",
      scope: "logs:read",
      tag,
      summary: "What the house did, newest first; with after=<id> what came since, oldest first",
      query: ListLogsSchema,
      response: {
        name: "OperationLogs",
        schema: z.object({ ok, results: z.array(OperationLogSchema), cursor: z.string().nullable(), last: z.number() }),
      },
      exports: ["application/x-ndjson"],
    },
    async (c, ctx, { query }) => {
      if (query.format !== "ndjson") return respond(c, await listLogs(ctx, query));
      const result = await exportLogs(ctx, query);
      return result.ok ? exported(result.export) : respond(c, result);
    },
  );
  route(
    app,
    {
      method: "post",
      path: "/api/logs",
      scope: "logs:write",
      tag,
      summary: "Write lines under the caller's name; what is over its limit is dropped and counted",
      body: { name: "WriteLogs", schema: WriteLogsSchema },
      maxBodyBytes: 1024 * 1024,
      response: { name: "LogsWritten", schema: z.object({ ok, written: z.number(), dropped: z.number() }) },
    },
    async (c, ctx, { body }) => respond(c, await writeLogs(ctx, body)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/schedules",
      scope: "logs:read",
      tag,
      summary: "The table of schedules: when each is due next, and what became of its last run",
      response: { name: "Schedules", schema: z.object({ ok, schedules: z.array(ScheduleStateSchema) }) },
    },
    async (c, ctx) => respond(c, await listSchedules(ctx)),
  );
}
