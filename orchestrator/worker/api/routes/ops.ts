import {
  ClaimOpsIssueSchema,
  ListOpsIssuesSchema,
  OpsIssueDetailSchema,
  OpsIssueSchema,
  OpsIssueStatusSchema,
  OpsScannedSchema,
  OpsScanSchema,
  OpsSummarySchema,
  OrderSchema,
  StartScanSchema,
  TaskSchema,
  WorkOnOpsIssueSchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { claimIssue } from "../../services/ops/claimIssue.ts";
import { getOpsIssue } from "../../services/ops/getOpsIssue.ts";
import { getOpsSummary } from "../../services/ops/getOpsSummary.ts";
import { listOpsIssues } from "../../services/ops/listOpsIssues.ts";
import { getLastScan, listScans, ListScansSchema } from "../../services/ops/listScans.ts";
import { startScan } from "../../services/ops/startScan.ts";
import { workOnIssue } from "../../services/ops/workOnIssue.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Ops";
const cursor = z.string().nullable();

export function opsRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/ops/scan",
      scope: "ops:write",
      tag,
      summary: "Read what was logged since the last scan, group it by cause, and file it; one scan runs at a time",
      body: { name: "StartScan", schema: StartScanSchema },
      emptyBody: {},
      response: { name: "Scanned", schema: OpsScannedSchema.extend({ ok }) },
    },
    async (c, ctx, { body }) => respond(c, await startScan(ctx, body)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ops/scan",
      scope: "ops:read",
      tag,
      summary: "The last scan; asking starts none",
      response: { name: "LastScan", schema: z.object({ ok, scan: OpsScanSchema.nullable() }) },
    },
    async (c, ctx) => respond(c, await getLastScan(ctx)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ops/scans",
      scope: "ops:read",
      tag,
      summary: "Scans, newest first",
      query: ListScansSchema,
      response: { name: "ScanList", schema: z.object({ ok, scans: z.array(OpsScanSchema), cursor }) },
    },
    async (c, ctx, { query }) => respond(c, await listScans(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ops/issues",
      scope: "ops:read",
      tag,
      summary: "What scans found, newest first",
      query: ListOpsIssuesSchema,
      response: { name: "OpsIssueList", schema: z.object({ ok, issues: z.array(OpsIssueSchema), cursor }) },
    },
    async (c, ctx, { query }) => respond(c, await listOpsIssues(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ops/issues/{id}",
      scope: "ops:read",
      tag,
      summary: "An issue, the commits it was seen at, and what was seen there too",
      response: { name: "OpsIssueAnswer", schema: z.object({ ok, issue: OpsIssueDetailSchema }) },
    },
    async (c, ctx, { params }) => respond(c, await getOpsIssue(ctx, { id: params.id ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ops/issues/{id}/claim",
      scope: "ops:write",
      tag,
      summary: "Take an issue for some time, or give it back; of simultaneous claims the first wins",
      body: { name: "ClaimOpsIssue", schema: ClaimOpsIssueSchema },
      emptyBody: {},
      response: {
        name: "OpsIssueClaimed",
        schema: z.object({
          ok,
          id: z.number(),
          status: OpsIssueStatusSchema,
          issue: OpsIssueSchema,
          told: z.boolean(),
        }),
      },
    },
    async (c, ctx, { params, body }) => respond(c, await claimIssue(ctx, { id: params.id ?? "", body })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ops/issues/{id}/work",
      scope: "ops:write",
      tag,
      summary: "Turn an issue into an order with a task that mends it; needs orders:write too",
      body: { name: "WorkOnOpsIssue", schema: WorkOnOpsIssueSchema },
      emptyBody: {},
      response: {
        name: "OpsIssueOrdered",
        schema: z.object({
          ok,
          issue: OpsIssueSchema,
          order: OrderSchema,
          tasks: z.array(TaskSchema),
          created: z.boolean(),
        }),
      },
    },
    async (c, ctx, { params, body }) => respond(c, await workOnIssue(ctx, { id: params.id ?? "", body })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ops/summary",
      scope: "ops:read",
      tag,
      summary: "Issues by status, severity, kind and age, and the last scan",
      response: { name: "OpsSummary", schema: OpsSummarySchema },
    },
    async (c, ctx) => respond(c, await getOpsSummary(ctx)),
  );
}
