import type { HealthDetail, PatchOpsRpc, Result, WorkspaceSource } from "@shared/contracts";
import { line, part, type Profile } from "./profiles.ts";

export interface CanaryOptions {
  /** The whole loop as the Worker reaches it. */
  patchOps: Pick<PatchOpsRpc, "openWorkspace" | "applyPatches" | "readFile" | "getPatch" | "revert">;
  /** A workspace of the canary's own. */
  workspaceId: string;
  source: WorkspaceSource;
  requester: string;
}

const FAULTS = { failed: "CANARY_FAILED", late: "CANARY_FAILED" } as const;
const NOT_REVERTED = { failed: "CANARY_NOT_REVERTED", late: "CANARY_NOT_REVERTED" } as const;
/** Opening may fetch and copy a source. */
const OPEN_MS = 15_000;
/** The database follows a workspace within moments; it is asked again so often. */
const POLLS = 25;
const POLL_MS = 200;

const refusal = (result: Result<object>): string | null =>
  result.ok ? null : line(`${result.error.code}: ${result.error.message}`);

/**
 * A patch through the whole loop: a workspace of its own is opened, a file is created in it, read back, found in the
 * database with its life on record, reverted, and gone again with the tree as it was. What was applied is reverted
 * whatever else went wrong.
 */
export const canaryProfile =
  ({ patchOps, workspaceId, source, requester }: CanaryOptions): Profile =>
  async (context) => {
    const id = `canary-${context.mintId()}`;
    const patchId = `${id}.p1`;
    const file = `${id}.txt`;
    const text = `${id} was here\n`;
    const details: HealthDetail[] = [];
    let treeBefore: string | null = null;
    const step = async (name: string, look: () => Promise<string | null>, ms?: number): Promise<boolean> => {
      const detail = await part(context, name, FAULTS, look, ms);
      details.push(detail);
      return detail.ok;
    };

    const opened = await step(
      "open",
      async () => {
        const answer = await patchOps.openWorkspace({ workspaceId, source });
        if (answer.ok) treeBefore = answer.workspace.treeHash;
        return refusal(answer);
      },
      OPEN_MS,
    );
    if (!opened) return details;

    const applied = await step(
      "apply",
      async () => {
        const answer = await patchOps.applyPatches({
          batchId: id,
          workspaceId,
          requester,
          reason: "a health check's canary",
          patches: [{ id: patchId, op: "create-file", file, block: text }],
        });
        if (!answer.ok) return refusal(answer);
        return answer.outcome.status === "applied" ? null : `the batch is ${answer.outcome.status}`;
      },
      OPEN_MS,
    );
    if (applied) {
      await step("read", async () => {
        const answer = await patchOps.readFile({ workspaceId, file });
        if (!answer.ok) return refusal(answer);
        return answer.file.content === text ? null : "the file does not hold what was written";
      });
      await step(
        "record",
        async () => {
          let last = "the patch is not in the database";
          for (let poll = 0; poll < POLLS && !context.signal.aborted; poll += 1) {
            const answer = await patchOps.getPatch({ patchId });
            if (answer.ok) {
              const types = answer.events.map(({ event_type }) => event_type);
              return types.includes("patch_requested") && types.includes("patch_applied")
                ? null
                : `its life is ${types.join(", ")}`;
            }
            last = refusal(answer) ?? last;
            await context.clock.sleep(POLL_MS);
          }
          return last;
        },
        OPEN_MS,
      );
    }
    // Also where applying gave no clear answer: a batch in doubt may have landed.
    details.push(
      await part(
        context,
        "revert",
        NOT_REVERTED,
        async () => {
          const answer = await patchOps.revert({
            workspaceId,
            target: { by: "batch", id },
            requester,
            reason: "a health check's canary is over",
          });
          if (answer.ok || (!applied && answer.error.code === "BATCH_NOT_FOUND")) return null;
          return refusal(answer);
        },
        OPEN_MS,
      ),
      await part(context, "tree", NOT_REVERTED, async () => {
        const answer = await patchOps.openWorkspace({ workspaceId, source });
        if (!answer.ok) return refusal(answer);
        return answer.workspace.treeHash === treeBefore ? null : "the tree is not as it was before the canary";
      }),
    );
    return details;
  };
