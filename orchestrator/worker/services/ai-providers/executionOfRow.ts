import {
  type Attempt,
  AttemptSchema,
  type Decision,
  DecisionSchema,
  type Execution,
  ExecutionSchema,
  JsonSchema,
} from "@shared/contracts";
import type { Selectable } from "kysely";
import type { OpsDatabase } from "../../database/schema.ts";

type ExecutionRow = Selectable<OpsDatabase["ai_provider_executions"]>;
type AttemptRow = Selectable<OpsDatabase["ai_provider_attempts"]>;

/** What a list needs of an execution: not its prompt, its output or its change, which may be megabytes. */
export const EXECUTION_COLUMNS = [
  "execution_id",
  "task_uuid",
  "order_id",
  "workspace_id",
  "provider_name",
  "model",
  "status",
  "class",
  "error",
  "batch_id",
  "race",
  "attempts",
  "input_tokens",
  "output_tokens",
  "cost_usd",
  "duration_ms",
  "created_by",
  "created_at",
  "started_at",
  "finished_at",
] as const satisfies readonly (keyof ExecutionRow)[];

export const ATTEMPT_COLUMNS = [
  "execution_id",
  "attempt",
  "provider_name",
  "model",
  "status",
  "class",
  "message",
  "error",
  "batch_id",
  "external_id",
  "base_commit",
  "cli_version",
  "input_tokens",
  "output_tokens",
  "cached_tokens",
  "cost_usd",
  "duration_ms",
  "started_at",
  "finished_at",
] as const satisfies readonly (keyof AttemptRow)[];

/** A column's JSON; null of null. Columns of JSON are checked by the database. */
export const jsonOf = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

/** An error as it was stored; one in another shape is shown by its words. */
function errorOf(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return { code: "INTERNAL", message: text, retryable: false, nothingWritten: null };
  }
}

export const executionOfRow = (row: Pick<ExecutionRow, (typeof EXECUTION_COLUMNS)[number]>): Execution =>
  ExecutionSchema.parse({ ...row, error: errorOf(row.error), race: jsonOf(row.race) });

export const attemptOfRow = ({
  input_tokens: inputTokens,
  output_tokens: outputTokens,
  cached_tokens: cachedTokens,
  cost_usd: costUsd,
  ...row
}: Pick<AttemptRow, (typeof ATTEMPT_COLUMNS)[number]>): Attempt =>
  AttemptSchema.parse({
    ...row,
    error: errorOf(row.error),
    usage: { inputTokens, outputTokens, cachedTokens, costUsd },
  });

/** Null where an older version stored it in a shape that is not this one's. */
export const decisionOf = (text: string | null): Decision | null => DecisionSchema.safeParse(jsonOf(text)).data ?? null;

/** What a run is made again from: JSON, or the text as it stands. */
export function inputOf(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JsonSchema.parse(JSON.parse(text));
  } catch {
    return text;
  }
}
