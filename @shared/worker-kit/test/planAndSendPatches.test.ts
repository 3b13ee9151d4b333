import { fail, type ApplyResult, type PatchOpsRpc } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { planAndSendPatches } from "../planAndSendPatches.ts";

/** A workspace of one file, `src/kept.ts`; it keeps what is sent and refuses it, so that no outcome need be made up. */
function orchestrator() {
  const sent: unknown[] = [];
  const patchOps: Pick<PatchOpsRpc, "resolveMarkers" | "readFile" | "applyPatches"> = {
    resolveMarkers: async (input) => ({
      ok: true,
      files: (input.files ?? []).map((file) =>
        file === "src/kept.ts"
          ? { file, exists: true, lines: 1, markers: [], coordinates: { mode: "existing", insertBeforeLine: 2 } }
          : { file, exists: false, lines: 0, markers: [], coordinates: { mode: "new" } },
      ),
    }),
    readFile: async ({ file }) => ({
      ok: true,
      file: { path: file, content: "kept\n", sha256: "0".repeat(64), mode: "100644", lines: 1 },
    }),
    applyPatches: async (batch): Promise<ApplyResult> => {
      sent.push(batch);
      return fail("ENGINE_UNAVAILABLE", "the test ends here");
    },
  };
  return { patchOps, sent };
}
const phase = (filePath: string, fileContents: string) => ({
  files: [{ filePath, fileContents, filePurpose: "" }],
  deploymentNeeded: false,
  commands: [],
});
const address = { workspaceId: "ws", requester: "factory", reason: "phase" };

describe("an implementation that is planned and sent", () => {
  test("goes out as one batch to its address, and the orchestrator's answer comes back", async () => {
    const { patchOps, sent } = orchestrator();
    const answer = await planAndSendPatches(phase("src/new.ts", "new\n"), patchOps, address);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ ...address, patches: [{ file: "src/new.ts", block: "new\n" }] });
    expect(answer).toMatchObject({ ok: false, error: { code: "ENGINE_UNAVAILABLE" } });
  });

  test("is not sent where every file stands as generated", async () => {
    const { patchOps, sent } = orchestrator();
    const answer = await planAndSendPatches(phase("src/kept.ts", "kept\n"), patchOps, address);
    expect(answer).toMatchObject({ ok: false, error: { code: "CONFLICT" } });
    expect(sent).toEqual([]);
  });

  test("is refused with its path where it is no PhaseImplementation", async () => {
    const { patchOps, sent } = orchestrator();
    const answer = await planAndSendPatches({ files: "all" }, patchOps, address);
    expect(answer).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED" } });
    expect(JSON.stringify(answer)).toContain("files");
    expect(sent).toEqual([]);
  });
});
