import { type CustodyRecord, fail, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { resolveWorkspace, stubOf } from "../workspace/workspaceObject.ts";
import { readProjection, recordOfRow } from "./projection.ts";

export const VerifyChainSchema = z.object({
  workspaceId: z.string().optional(),
  orderId: z.string().optional(),
  projectId: z.string().optional(),
  branch: z.string().optional(),
});

interface VerifiedChain {
  workspaceId: string;
  /** The last link of the custody chain. */
  head: { seq: number; hash: string };
  /** Entries of the engine's log on record. */
  entries: number;
  /** How far D1 has got; what is delivered has been compared, link by link. */
  delivered: number;
}

const PAGE = 250;

/**
 * Recomputes a workspace's custody chain and log, then compares what D1 was delivered with it: each row is hashed again
 * from its columns. Needs `patches:read`. Errors: CHAIN_BROKEN names the first link that does not hold, and where;
 * DATABASE_UNAVAILABLE.
 */
export async function verifyChain(ctx: ServiceContext, input: unknown): Promise<Result<VerifiedChain>> {
  const denied = requireScope(ctx, "patches:read");
  if (denied) return denied;
  const parsed = VerifyChainSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const resolved = await resolveWorkspace(ctx, parsed.data);
  if (!resolved.ok) return resolved;
  const { workspaceId } = resolved;
  const stub = stubOf(ctx.env, workspaceId);
  const verified = await stub.verify();
  if (!verified.ok) return verified;
  const { head, entries, delivered } = verified;

  for (let after = 0; after < delivered; after += PAGE) {
    const { records } = await stub.events(after, PAGE);
    let rows;
    try {
      rows = await readProjection(ctx.env.DB_OPS, workspaceId, after, PAGE);
    } catch (error) {
      ctx.log.error("DB_OPS cannot be read", { error });
      return fail("DATABASE_UNAVAILABLE", "the chain holds; the database cannot be read to compare with it");
    }
    const broken = firstDifference(
      records.filter((record) => record.seq <= delivered),
      rows.filter((row) => row.seq <= delivered),
    );
    if (broken !== null) return fail("CHAIN_BROKEN", `the database differs from the chain at seq ${broken}`);
  }
  return { ok: true, workspaceId, head, entries, delivered };
}

function firstDifference(
  records: readonly CustodyRecord[],
  rows: Awaited<ReturnType<typeof readProjection>>,
): number | null {
  for (const [index, record] of records.entries()) {
    const row = rows[index];
    if (row?.seq !== record.seq || row.custody_hash !== record.hash || recordOfRow(row).hash !== record.hash) {
      return record.seq;
    }
  }
  return rows.length > records.length ? (rows[records.length]?.seq ?? null) : null;
}
