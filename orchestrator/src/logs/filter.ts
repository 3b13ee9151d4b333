import type { OperationLogQuery } from "@shared/client";
import { z } from "zod";

const text = z.string().min(1).max(200).optional().catch(undefined);
const day = z.iso.date().optional().catch(undefined);

/** How the address bar narrows the operation log. */
export const LogFilterSchema = z.object({
  q: text,
  level: z.enum(["info", "warn", "error"]).optional().catch(undefined),
  source: text,
  operation: text,
  order: text,
  task: text,
  patch: text,
  request: text,
  from: day,
  to: day,
});
export type LogFilter = z.infer<typeof LogFilterSchema>;

const FROM_LEVEL = { info: "info,warn,error", warn: "warn,error", error: "error" } as const;

/** The filter in the words of the API; without what it leaves open. */
export function queryOf(filter: LogFilter): OperationLogQuery {
  const { q, level, source, operation, order, task, patch, request, from, to } = filter;
  const query = {
    search: q,
    level: level === undefined ? undefined : FROM_LEVEL[level],
    source,
    operation,
    order_id: order,
    task_id: task,
    patch_id: patch,
    request_id: request,
    from,
    to,
  };
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
}

/** Where the same lines are had as NDJSON. */
export const exportAddress = (filter: LogFilter): string => {
  const parameters = Object.entries(queryOf(filter)).map(([name, value]): [string, string] => [name, String(value)]);
  return `/api/logs?${new URLSearchParams([...parameters, ["format", "ndjson"]])}`;
};
