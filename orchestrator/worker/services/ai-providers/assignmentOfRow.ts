import { type Assignment, AssignmentSchema } from "@shared/contracts";
import type { Selectable } from "kysely";
import type { OpsDatabase } from "../../database/schema.ts";

export const assignmentOfRow = (row: Selectable<OpsDatabase["ai_provider_assignments"]>): Assignment =>
  AssignmentSchema.parse({ ...row, decision: row.decision === null ? null : JSON.parse(row.decision) });
