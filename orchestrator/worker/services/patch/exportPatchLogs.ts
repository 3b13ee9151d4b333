import type { ExportFormat, Failed } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import type { Export } from "../analytics/exportRows.ts";
import { listPatchLogs, PatchLogRowSchema } from "./listPatchLogs.ts";

const PAGE = 500;
const COLUMNS = Object.keys(PatchLogRowSchema.shape);

/**
 * The log of patch events as a stream, page by page: all that the filters leave, or the first `limit` where one is
 * given. Events that arrive meanwhile shift nothing. Errors: those of `listPatchLogs`, before anything is sent; one that
 * comes later breaks the stream off.
 */
export async function exportPatchLogs(
  ctx: ServiceContext,
  input: Record<string, string>,
  format: Exclude<ExportFormat, "json">,
): Promise<{ ok: true; export: Export } | Failed> {
  // Read whole first, so that what is wrong with a filter or a limit is an answer.
  const first = await listPatchLogs(ctx, { ...input, limit: input.limit ?? PAGE });
  if (!first.ok) return first;
  const most = input.limit === undefined ? Number.POSITIVE_INFINITY : Number(input.limit);

  async function* rows() {
    let page = first;
    for (let sent = 0; ;) {
      if (!page.ok) throw new Error(`the export broke off: ${page.error.code}`);
      yield* page.results;
      sent += page.results.length;
      if (page.cursor === null || sent >= most) return;
      page = await listPatchLogs(ctx, { ...input, limit: PAGE, cursor: page.cursor });
    }
  }
  return { ok: true, export: { format, name: "patch-events", columns: COLUMNS, rows: rows() } };
}
