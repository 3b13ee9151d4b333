import { z } from "zod";
import { ProjectIdSchema } from "./ids.ts";
import { CreateOrderSchema, FactoryNameSchema } from "./orders.ts";

/** The night shift: scans of logs, and the issues that they file. Columns keep their names on the wire. */

export const OpsScopeSchema = z.enum(["cloudflare", "cicd", "full"]);
export type OpsScope = z.infer<typeof OpsScopeSchema>;

export const OpsKindSchema = z.enum(["worker-log", "build-log"]);
export type OpsKind = z.infer<typeof OpsKindSchema>;

export const LogLevelNameSchema = z.enum(["debug", "info", "warn", "error"]);

/** A page of lines as the Workers that fetch logs answer it; `cursor` leads on, null: the window is read. */
const page = {
  cursor: z.string().nullable(),
  /** The window that was read, ISO 8601. */
  from: z.string(),
  to: z.string(),
  /** The earliest time of which more may come, such as of a run that has not ended; null: the window is complete. */
  open_since: z.string().nullable(),
};
export const WorkerLogLineSchema = z.object({
  /** What the source calls this line, the same whenever it is asked. */
  id: z.string().max(200),
  worker: z.string().max(200),
  level: LogLevelNameSchema,
  message: z.string().max(16_000),
  ts: z.string(),
  commit: z.string().max(64).nullable(),
  meta: z.record(z.string(), z.json()),
});
export type WorkerLogLine = z.infer<typeof WorkerLogLineSchema>;
export const WorkerLogsSchema = z.object({ logs: z.array(WorkerLogLineSchema), ...page });
export type WorkerLogs = z.infer<typeof WorkerLogsSchema>;

export const BuildLogLineSchema = z.object({
  id: z.string().max(300),
  repo: z.string().max(200),
  run_id: z.string().max(50),
  level: LogLevelNameSchema,
  message: z.string().max(16_000),
  ts: z.string(),
  commit: z.string().max(64).nullable(),
  meta: z.record(z.string(), z.json()),
});
export type BuildLogLine = z.infer<typeof BuildLogLineSchema>;
export const BuildLogsSchema = z.object({
  logs: z.array(BuildLogLineSchema),
  /** Runs whose logs could not be had, and why: gone, too large. */
  skipped: z.array(z.object({ run_id: z.string(), why: z.string() })),
  ...page,
});
export type BuildLogs = z.infer<typeof BuildLogsSchema>;
/** What one attempt of one run logged; nothing, where it did not fail. */
export const RunLogsSchema = BuildLogsSchema.pick({ logs: true, skipped: true });
export type RunLogs = z.infer<typeof RunLogsSchema>;

/** The window of a request for logs: `1h`, `24h`, or from one time to another; `cursor` as the answer before gave it. */
export const LogWindowSchema = z.object({
  window: z
    .string()
    .regex(/^[1-9]\d{0,2}[hd]$/, "expected hours or days, such as 24h")
    .optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  cursor: z.string().max(2_000).optional(),
});
export type LogWindow = z.infer<typeof LogWindowSchema>;

export const OpsIssueStatusSchema = z.enum(["open", "triaged", "in_progress", "resolved", "closed"]);
export type OpsIssueStatus = z.infer<typeof OpsIssueStatusSchema>;

const severity = z.number().int().min(1).max(5);
export const OpsIssueSchema = z.object({
  id: z.number().int(),
  kind: OpsKindSchema,
  /** 1 is the gravest. */
  severity,
  rule_severity: severity.nullable(),
  /** `rule`, or the model that moved it by at most one. */
  judged_by: z.string().nullable(),
  status: OpsIssueStatusSchema,
  worker: z.string().nullable(),
  repo: z.string().nullable(),
  run_id: z.string().nullable(),
  /** What to mend, as an order's text. */
  prompt: z.string(),
  analysis: z.string(),
  gh_issue_number: z.number().int().nullable(),
  gh_issue_url: z.string().nullable(),
  fingerprint: z.string().nullable(),
  template: z.string().nullable(),
  frame: z.string().nullable(),
  occurrences: z.number().int(),
  reopened: z.number().int(),
  claimed_by: z.string().nullable(),
  claimed_at: z.string().nullable(),
  claim_expires_at: z.string().nullable(),
  order_id: z.string().nullable(),
  first_seen: z.string().nullable(),
  last_seen: z.string().nullable(),
  created_at: z.string().nullable(),
  closed_at: z.string().nullable(),
});
export type OpsIssue = z.infer<typeof OpsIssueSchema>;

/** An issue with what was seen at the same commits. */
export const OpsIssueDetailSchema = OpsIssueSchema.extend({
  /** The latest twenty that it was seen at. */
  commits: z.array(z.string()),
  /** The gravest twenty of those that share a commit with it. */
  related: z.array(
    OpsIssueSchema.pick({
      id: true,
      kind: true,
      severity: true,
      status: true,
      worker: true,
      repo: true,
      template: true,
    }),
  ),
});
export type OpsIssueDetail = z.infer<typeof OpsIssueDetailSchema>;

/** The order of an issue's present opening: asking again for work on it gives the same one. */
export const opsOrderIdOf = ({ id, reopened }: Pick<OpsIssue, "id" | "reopened">): string =>
  `ORD-OPS-${id}.${reopened + 1}`;

export const ListOpsIssuesSchema = z.object({
  status: OpsIssueStatusSchema.optional(),
  kind: OpsKindSchema.optional(),
  /** This grave or graver. */
  severity: z.coerce.number().int().min(1).max(5).optional(),
  worker: z.string().max(200).optional(),
  repo: z.string().max(200).optional(),
  /** Of this project's repository: its builds', those filed there, and those seen at a commit that broke its builds. */
  project: ProjectIdSchema.optional(),
  /** Last seen at this time or later. */
  since: z.iso.datetime({ offset: true }).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(100),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, "not one of this list's cursors")
    .optional(),
});

export const StartScanSchema = z.object({ scope: OpsScopeSchema.default("full") });
export const ClaimOpsIssueSchema = z.object({
  /** Minutes until the claim ends by itself. */
  minutes: z.number().int().min(1).max(1_440).default(60),
  /** Lengthens a claim that the caller holds. */
  renew: z.boolean().default(false),
  release: z.boolean().default(false),
});
export const WorkOnOpsIssueSchema = z.object({
  factory: FactoryNameSchema.default("services-factory"),
  projectId: CreateOrderSchema.shape.projectId,
  workspaceId: CreateOrderSchema.shape.workspaceId,
  source: CreateOrderSchema.shape.source,
});

const count = z.number().int();
export const ScanTotalsSchema = z.object({
  logs_ingested: count,
  worker_logs: count,
  build_logs: count,
  skipped: count,
  reviewed: count,
  issues_opened: count,
  issues_reopened: count,
  issues_closed: count,
  comments: count,
});
export type ScanTotals = z.infer<typeof ScanTotalsSchema>;

export const OpsScanSchema = z.object({
  id: z.number().int(),
  scope: OpsScopeSchema,
  started_at: z.string(),
  finished_at: z.string().nullable(),
  /** Null: it runs. `partial`: the next one goes on where it ended. `stuck`: it was found without a sign of life. */
  outcome: z.enum(["done", "partial", "failed", "stuck"]).nullable(),
  error: z.string().nullable(),
  started_by: z.string().nullable(),
  totals: ScanTotalsSchema.nullable(),
});
export type OpsScan = z.infer<typeof OpsScanSchema>;

/** What a scan answers once it has ended: its row, and of its counts those that are asked for most. */
export const OpsScannedSchema = z.object({
  scan: OpsScanSchema,
  scan_id: count,
  worker_logs: count,
  build_logs: count,
  reviewed: count,
  issues_opened: count,
});
export type OpsScanned = z.infer<typeof OpsScannedSchema>;

export const OpsSummarySchema = z.object({
  ok: z.literal(true),
  ts: z.string(),
  totals: count,
  breakdown: z.array(z.object({ status: OpsIssueStatusSchema, count, avg_sev: z.number() })),
  by_severity: z.array(z.object({ severity: count, count })),
  by_kind: z.array(z.object({ kind: OpsKindSchema, count })),
  /** The Workers and repositories that there are issues of, whatever their status: the 200 with most, and how many each. */
  by_source: z.array(z.object({ kind: OpsKindSchema, source: z.string(), count })),
  /** Of what is not closed: since its first line. */
  by_age: z.object({ day: count, week: count, month: count, older: count }),
  last_scan: OpsScanSchema.nullable(),
  /** What needs a person now: of severity 1 to 3, claimed by nobody, without an order since it was opened; the gravest ten. */
  waiting: z.object({ count, issues: z.array(OpsIssueSchema) }),
});
export type OpsSummary = z.infer<typeof OpsSummarySchema>;
