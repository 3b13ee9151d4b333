import { fail, type CustodyRecord, type PatchOpsRpc, type WorkspaceInfo } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { canaryProfile } from "../health/canary.ts";
import { testClock } from "../testing/clocks.ts";

type Loop = Pick<PatchOpsRpc, "openWorkspace" | "applyPatches" | "readFile" | "getPatch" | "revert">;

/** A loop in memory that is well, but for the step a test breaks. */
function loop(broken: Partial<Loop> = {}): { patchOps: Loop; files: Map<string, string> } {
  const files = new Map<string, string>();
  const treeHash = () =>
    Buffer.from(JSON.stringify([...files]))
      .toString("hex")
      .padEnd(64, "0")
      .slice(-64);
  const patchOps: Loop = {
    openWorkspace: async () => ({ ok: true, workspace: { treeHash: treeHash() } as WorkspaceInfo }),
    applyPatches: async (batch) => {
      for (const patch of batch.patches) if (patch.op === "create-file") files.set(patch.file, patch.block ?? "");
      return { ok: true, outcome: { status: "applied" }, results: [] } as never;
    },
    readFile: async ({ file }) =>
      files.has(file) ? ({ ok: true, file: { content: files.get(file) } } as never) : fail("FILE_NOT_FOUND", file),
    getPatch: async () =>
      ({
        ok: true,
        events: [{ event_type: "patch_requested" }, { event_type: "patch_applied" }] as CustodyRecord[],
      }) as never,
    revert: async () => {
      files.clear();
      return { ok: true, outcome: {}, results: [] } as never;
    },
    ...broken,
  };
  return { patchOps, files };
}

const look = async (patchOps: Loop) => {
  const profile = canaryProfile({
    patchOps,
    workspaceId: "health-canary-test",
    source: { kind: "template", template: "agent-factory" },
    requester: "test",
  });
  // The steps' limits are whole seconds: here none is reached.
  const clock = {
    ...testClock(),
    sleep: (ms: number) => (ms < 1_000 ? Promise.resolve() : new Promise<void>(() => undefined)),
  };
  const details = await profile({ clock, mintId: () => "1", signal: new AbortController().signal });
  return details.map(({ name, code }) => [name, code]);
};

describe("a canary", () => {
  test("goes through the whole loop and leaves nothing", async () => {
    const { patchOps, files } = loop();
    expect(await look(patchOps)).toEqual([
      ["open", null],
      ["apply", null],
      ["read", null],
      ["record", null],
      ["revert", null],
      ["tree", null],
    ]);
    expect(files.size).toBe(0);
  });

  test.each<[string, Partial<Loop>, [string, string][]]>([
    [
      "a workspace that does not open",
      { openWorkspace: async () => fail("ENGINE_UNAVAILABLE", "gone") },
      [["open", "CANARY_FAILED"]],
    ],
    [
      "a batch that is refused",
      { applyPatches: async () => fail("ENGINE_TIMEOUT", "slow") },
      [["apply", "CANARY_FAILED"]],
    ],
    [
      "a file that reads otherwise",
      { readFile: async () => ({ ok: true, file: { content: "x" } }) as never },
      [["read", "CANARY_FAILED"]],
    ],
    [
      "a record that never comes",
      { getPatch: async () => fail("PATCH_NOT_FOUND", "not yet") },
      [["record", "CANARY_FAILED"]],
    ],
    [
      "a revert that is refused",
      { revert: async () => fail("REVERT_CONFLICT", "no") },
      [
        ["revert", "CANARY_NOT_REVERTED"],
        ["tree", "CANARY_NOT_REVERTED"],
      ],
    ],
  ])("says of %s exactly that", async (_, broken, faults) => {
    expect((await look(loop(broken).patchOps)).filter(([, code]) => code !== null)).toEqual(faults);
  });

  test("is reverted whatever else went wrong after it was applied", async () => {
    const { patchOps, files } = loop({
      readFile: async () => {
        throw new Error("no");
      },
    });
    await look(patchOps);
    expect(files.size).toBe(0);
  });
});
