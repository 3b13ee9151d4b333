import { type Alert, AlertSchema, JsonObjectSchema } from "@shared/contracts";
import { z } from "zod";

/** A row of `alerts` as it is told: its data parsed, what is for this side alone left out. */
export const AlertRowSchema = z
  .looseObject({ data: z.string() })
  .transform((row): unknown => ({ ...row, data: JsonObjectSchema.parse(JSON.parse(row.data)) }))
  .pipe(AlertSchema);

export const alertOfRow = (row: unknown): Alert => AlertRowSchema.parse(row);

/** A message's id: the same in each attempt at it, another each time the alert is told. */
export const messageIdOf = (alert: Pick<Alert, "id" | "told">): string =>
  `msg_${alert.id.replaceAll("-", "")}_${alert.told}`;

/** How severe, as SQL: 0 info, 1 warning, 2 critical. */
export const rankOf = (column: string): string =>
  `(CASE ${column} WHEN 'critical' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END)`;
