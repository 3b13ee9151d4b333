import { type OpsIssue, OpsIssueSchema, type OpsScan, OpsScanSchema, ScanTotalsSchema } from "@shared/contracts";
import type { Selectable } from "kysely";
import type { OpsDatabase } from "../../database/schema.ts";
import type { Described } from "./issueText.ts";

export function scanOfRow(row: Selectable<OpsDatabase["ops_scans"]>): OpsScan {
  const totals = row.totals === null ? null : ScanTotalsSchema.safeParse(JSON.parse(row.totals));
  return OpsScanSchema.parse({ ...row, totals: totals?.success === true ? totals.data : null });
}

/** A claim that is over reads as what it is: nobody's. */
export function issueOfRow(row: Selectable<OpsDatabase["ops_issues"]>, now: Date): OpsIssue {
  const isOver =
    row.status === "in_progress" && row.claim_expires_at !== null && row.claim_expires_at <= now.toISOString();
  return OpsIssueSchema.parse(
    isOver ? { ...row, status: "open", claimed_by: null, claimed_at: null, claim_expires_at: null } : row,
  );
}

/** What of an issue stands in texts about it: as the rules have graded it. */
export function describedOf(row: Selectable<OpsDatabase["ops_issues"]>): Described {
  return {
    id: row.id,
    kind: row.kind,
    severity: row.rule_severity ?? row.severity,
    worker: row.worker,
    repo: row.repo,
    run_id: row.run_id,
    fingerprint: row.fingerprint ?? "",
    template: row.template ?? "",
    frame: row.frame,
    occurrences: row.occurrences,
    first_seen: row.first_seen ?? "",
    last_seen: row.last_seen ?? "",
  };
}
