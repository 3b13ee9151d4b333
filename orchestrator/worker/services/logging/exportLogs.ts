import { type Failed, OperationLogSchema } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import type { Export } from "../analytics/exportRows.ts";
import { listLogs } from "./listLogs.ts";

const PAGE = 500;

/**
 * The lines as NDJSON, page by page: all that the filters leave, or the first `limit` where one is given. Lines that
 * arrive meanwhile shift nothing. Errors: those of `listLogs`, before anything is sent; one that comes later breaks the
 * stream off.
 */
export async function exportLogs(
  ctx: ServiceContext,
  input: Record<string, string>,
): Promise<{ ok: true; export: Export } | Failed> {
  const { limit, ...filters } = input;
  const first = await listLogs(ctx, { ...filters, limit: limit ?? PAGE });
  if (!first.ok) return first;
  const most = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);

  async function* rows() {
    let page = first;
    for (let sent = 0; ;) {
      if (!page.ok) throw new Error(`the export broke off: ${page.error.code}`);
      yield* page.results;
      sent += page.results.length;
      if (page.cursor === null || sent >= most) return;
      page = await listLogs(ctx, { ...filters, limit: PAGE, cursor: page.cursor });
    }
  }
  return {
    ok: true,
    export: { format: "ndjson", name: "operation-logs", columns: Object.keys(OperationLogSchema.shape), rows: rows() },
  };
}
