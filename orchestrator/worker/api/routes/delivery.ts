import { DeliveryReportRowSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { generateReports, GenerateReportsSchema } from "../../services/delivery/generateReports.ts";
import { listReports, ListReportsSchema } from "../../services/delivery/listReports.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Delivery";

export function deliveryRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/delivery/reports",
      scope: "delivery:read",
      tag,
      summary: "The newest reports, or one order's; with generate=true they are made anew, which needs delivery:write",
      changesState: ({ generate }) => generate === "true",
      query: ListReportsSchema,
      response: {
        name: "DeliveryReports",
        schema: z.object({
          ok,
          reports: z.array(DeliveryReportRowSchema).optional(),
          cursor: z.string().nullable().optional(),
          report: DeliveryReportRowSchema.optional(),
          generated: z.number().optional(),
          queued: z.number().optional(),
        }),
      },
    },
    async (c, ctx, { query }) => respond(c, await listReports(ctx, query)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/delivery/reports",
      scope: "delivery:write",
      tag,
      summary: "Make an order's report anew, or those of all orders that have moved on",
      body: { name: "GenerateReports", schema: GenerateReportsSchema },
      emptyBody: {},
      response: {
        name: "ReportsGenerated",
        schema: z.object({ ok, generated: z.number(), queued: z.number() }),
      },
    },
    async (c, ctx, { body }) => respond(c, await generateReports(ctx, body)),
  );
}
