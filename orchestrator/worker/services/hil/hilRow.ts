import { type HilRequest, HilRequestSchema } from "@shared/contracts";
import type { Selectable } from "kysely";
import type { OpsDatabase } from "../../database/schema.ts";

export type HilRow = Selectable<OpsDatabase["hil_requests"]>;

export const hilOfRow = (row: HilRow): HilRequest =>
  HilRequestSchema.parse({ ...row, options: JSON.parse(row.options) });
