import type { CheckOutcome, Head, LogEntry, LoggedFile, LoggedPatch } from "@shared/contracts";
import { entryHash, type Plan } from "../core/index.ts";

/** What a call wants written, before it is planned. */
export interface Intent {
  kind: LogEntry["kind"];
  batchId: string;
  payloadHash: string;
  door: LogEntry["door"];
  actor: string | null;
  requester: string;
  reason: string;
  orderId: string | null;
  projectId: string | null;
  phase: string | null;
  reverts: LogEntry["reverts"];
}

/** The log entry of a plan, sealed with its hash. */
export function entryOf(
  intent: Intent,
  plan: Plan,
  checks: CheckOutcome[],
  at: { head: Head } & Pick<LogEntry, "ts" | "treeBefore" | "treeAfter" | "durationMs">,
): LogEntry {
  const { head, ...rest } = at;
  const files = plan.files.map(
    ({
      path,
      from,
      kind,
      mode,
      modeBefore,
      beforeSha256,
      afterSha256,
      splices,
      linesAdded,
      linesRemoved,
      diff,
    }): LoggedFile => ({
      path,
      from,
      kind,
      mode,
      ...(modeBefore && { modeBefore }),
      beforeSha256,
      afterSha256,
      linesAdded,
      linesRemoved,
      splices,
      diff,
    }),
  );
  // One run checks the batch as a whole, so its patches share what came of it.
  const typesOk = checks.find(({ name }) => name === "types")?.ok ?? null;
  const patches = plan.patches.map(({ patch_id, op, file, task_id, landed, moved, metadata, diff }): LoggedPatch => ({
    patch_id,
    op,
    file,
    task_id,
    landed,
    moved,
    ts_check_ok: typesOk,
    ...(metadata && { metadata }),
    diff,
  }));
  const reverts = intent.reverts && {
    target: intent.reverts.target,
    patchIds: patches.map(({ patch_id }) => patch_id),
  };
  const unsigned = {
    v: 1 as const,
    ...intent,
    reverts,
    seq: head.seq + 1,
    prevHash: head.hash,
    patches,
    files,
    checks,
    ...rest,
  };
  return { ...unsigned, hash: entryHash(unsigned) };
}
