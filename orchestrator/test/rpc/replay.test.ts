import type { PatchBatchInput, ReplayTree } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { systemActor } from "../../worker/context.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { revertPatches } from "../../worker/services/patch/revertPatches.ts";
import { getReplayFile } from "../../worker/services/replay/getReplayFile.ts";
import { getReplayTree } from "../../worker/services/replay/getReplayTree.ts";
import { listReplay } from "../../worker/services/replay/listReplay.ts";
import { getWorkspace } from "../../worker/services/workspace/getWorkspace.ts";
import { readFile } from "../../worker/services/workspace/readFile.ts";
import {
  abort,
  aLine,
  apply,
  batchesOf,
  context,
  faults,
  inside,
  loseSpareDisk,
  mint,
  patchctl,
  useSpareHost,
  value,
} from "./workspaceHarness.ts";

const engine = inject("engine");

async function anOrder(fields: Record<string, unknown> = {}): Promise<{ orderId: string; workspaceId: string }> {
  const orderId = mint("ORD");
  const source = { kind: "path", path: engine.source };
  const made = await createOrder(context(), { id: orderId, title: "t", factory: "agent-factory", source, ...fields });
  return { orderId, workspaceId: value(made).order.workspace_id };
}

/** What stood in the workspace after a batch, asked of the engine at that time. */
interface Moment {
  seq: number;
  treeHash: string;
  files: Map<string, string>;
}

async function momentOf(workspaceId: string, paths: readonly string[]): Promise<Moment> {
  const { workspace } = value(await getWorkspace(context(), { workspaceId }));
  const files = new Map<string, string>();
  for (const path of paths) {
    const read = await readFile(context(), { workspaceId, file: path });
    if (read.ok) files.set(path, read.file.content);
  }
  return { seq: workspace.head.seq, treeHash: workspace.treeHash, files };
}

const treeOf = async (orderId: string, seq: number): Promise<ReplayTree> =>
  value(await getReplayTree(context(), { orderId, seq: String(seq) }));

describe("the replay of an order", () => {
  const PATHS = ["src/index.ts", "README.md", "src/new.ts", "src/moved.ts", "docs/deep/ünïcode 𝒳.md", "run.sh"];
  let orderId: string;
  let workspaceId: string;
  const moments: Moment[] = [];

  beforeAll(async () => {
    ({ orderId, workspaceId } = await anOrder());
    const take = async (step: () => Promise<unknown>) => {
      await step();
      moments.push(await momentOf(workspaceId, PATHS));
    };
    const patches = (...list: PatchBatchInput["patches"]) =>
      take(async () => value(await apply({ workspaceId, orderId, batchId: mint("b"), patches: list })));
    moments.push(await momentOf(workspaceId, PATHS));
    await patches({ op: "replace-block", file: "src/index.ts", start: 3, end: 5, block: "// äöü 𝒳\n" });
    await patches(
      { op: "create-file", file: "src/new.ts", block: "export const a = 1;\n" },
      { op: "create-file", file: "docs/deep/ünïcode 𝒳.md", block: "no newline at the end" },
      { op: "append", file: "README.md", block: "more" },
    );
    await patches(
      { op: "replace-block", file: "src/index.ts", start: 1, end: 1, block: "// first\n// second\n" },
      { op: "replace-block", file: "src/index.ts", start: 100, end: 150, block: "" },
      { op: "insert-before", file: "src/index.ts", line: 199, block: "// near the end\n" },
    );
    await patches({ op: "rename-file", file: "src/new.ts", to: "src/moved.ts" });
    await patches({ op: "append", file: "src/moved.ts", block: "export const b = 2;\n" });
    // In one batch a name is left by one file and taken by another.
    await patches(
      { op: "rename-file", file: "src/moved.ts", to: "src/new.ts" },
      { op: "delete-file", file: "README.md" },
    );
    await take(() => patchctl(workspaceId, "append", "--file", "src/new.ts", "--block", "// beside the orchestrator"));
    await patches({ op: "create-file", file: "README.md", block: "# Born again\n" });
    await patches({
      op: "apply-diff",
      diff: "diff --git a/run.sh b/run.sh\nnew file mode 100755\n--- /dev/null\n+++ b/run.sh\n@@ -0,0 +1 @@\n+echo 1\n",
    });
    await patches({ op: "apply-diff", diff: "diff --git a/run.sh b/run.sh\nold mode 100755\nnew mode 100644\n" });
    const { batches } = value(await listReplay(context(), { orderId }));
    const target = { by: "batch" as const, id: batches[2]!.batchId };
    await take(async () => value(await revertPatches(context(), { workspaceId, target, batchId: mint("undo") })));
  });

  it("lists its batches in order, with the tree each left and the files it changed", async () => {
    const { batches, head, next } = value(await listReplay(context(), { orderId }));
    expect(batches.map((batch) => batch.seq)).toEqual(moments.slice(1).map((moment) => moment.seq));
    expect(batches.map((batch) => batch.treeHash)).toEqual(moments.slice(1).map((moment) => moment.treeHash));
    expect(head).toBe(moments.at(-1)!.seq);
    expect(next).toBeNull();
    expect(batches[1]!.files).toMatchObject([
      { path: "src/new.ts", kind: "create", linesAdded: 1, linesRemoved: 0 },
      { path: "docs/deep/ünïcode 𝒳.md", kind: "create" },
      { path: "README.md", kind: "edit", linesAdded: 1 },
    ]);
    expect(batches.at(-1)).toMatchObject({ kind: "revert" });
  });

  it("shows the tree after every batch with the hash that was recorded then, from the source to the head", async () => {
    for (const moment of moments) {
      const tree = await treeOf(orderId, moment.seq);
      expect(tree).toMatchObject({ seq: moment.seq, treeHash: moment.treeHash, next: null });
      expect(tree.tree.map((row) => row.path).filter((path) => PATHS.includes(path))).toEqual(
        [...moment.files.keys()].toSorted(),
      );
    }
  });

  it("shows every file as it was after every batch, byte for byte, and none where there was none", async () => {
    for (const { seq, files, treeHash } of moments) {
      for (const path of PATHS) {
        const read = await getReplayFile(context(), { orderId, seq: String(seq), file: path });
        const content = files.get(path);
        if (content === undefined) expect(read).toMatchObject({ ok: false, error: { code: "FILE_NOT_FOUND" } });
        else expect(read).toMatchObject({ ok: true, seq, treeHash, file: { path, content } });
      }
    }
  });

  it("comes in pages", async () => {
    const first = value(await listReplay(context(), { orderId, limit: "3" } as never));
    expect(first.batches).toHaveLength(3);
    const second = value(await listReplay(context(), { orderId, after: String(first.next), limit: "500" } as never));
    expect([...first.batches, ...second.batches]).toHaveLength(moments.length - 1);
    const whole = await treeOf(orderId, 1);
    const rest = value(await getReplayTree(context(), { orderId, seq: "1", after: whole.tree[0]!.path } as never));
    expect(rest.tree).toEqual(whole.tree.slice(1));
  });

  it("has another page after one of the largest size", async () => {
    const long = await anOrder();
    await apply(aLine(long.workspaceId, 1, "first", { orderId: long.orderId }));
    value(await listReplay(context(), { orderId: long.orderId }));
    await inside(long.workspaceId, (_, { storage }) => {
      // The index alone is asked for a list, so copies of its one entry do.
      storage.sql.exec(
        `INSERT INTO replay_entries SELECT value, order_id, batch_id, kind, ts, requester, reason, phase, tree_before,
           tree_after FROM replay_entries, json_each(?)`,
        JSON.stringify(Array.from({ length: 500 }, (_entry, index) => index + 2)),
      );
    });
    const page = value(await listReplay(context(), { orderId: long.orderId, limit: "500" } as never));
    expect([page.batches.length, page.next]).toEqual([500, 500]);
    const rest = value(await listReplay(context(), { orderId: long.orderId, after: String(page.next) } as never));
    expect(rest.batches.map(({ seq }) => seq)).toEqual([501]);
  });

  it("refuses what is not there, and paths that are none", async () => {
    const code = async (seq: string, file?: string) => {
      const answer = await (file === undefined
        ? getReplayTree(context(), { orderId, seq })
        : getReplayFile(context(), { orderId, seq, file }));
      return answer.ok ? "ok" : answer.error.code;
    };
    expect(await code("9999")).toBe("NOT_FOUND");
    expect(await code("-1")).toBe("VALIDATION_FAILED");
    expect(await code("1.5")).toBe("VALIDATION_FAILED");
    expect(await code("tea")).toBe("VALIDATION_FAILED");
    for (const file of ["../secret", "/etc/passwd", ".git/config", ".mission_control/log.jsonl", "src//index.ts"]) {
      expect(["PATH_INVALID", "PATH_FORBIDDEN"]).toContain(await code("1", file));
    }
    expect(await getReplayTree(context(), { orderId: "ORD-none", seq: "1" })).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
  });

  it("is for who may read the workspace", async () => {
    const elsewhere = context({ ...systemActor("test"), workspaceId: "elsewhere" });
    const scopeless = context({ ...systemActor("test"), scopes: new Set(["patches:read"]) });
    for (const ctx of [elsewhere, scopeless]) {
      expect(await listReplay(ctx, { orderId })).toMatchObject({ error: { code: "FORBIDDEN" } });
      expect(await getReplayTree(ctx, { orderId, seq: "1" })).toMatchObject({ error: { code: "FORBIDDEN" } });
      expect(await getReplayFile(ctx, { orderId, seq: "1", file: "README.md" })).toMatchObject({
        error: { code: "FORBIDDEN" },
      });
    }
  });

  it("says TREE_MISMATCH where what is on record does not make the tree on record", async () => {
    await inside(workspaceId, (_, state) => {
      state.storage.sql.exec("UPDATE replay_files SET after = ? WHERE seq = 1", "0".repeat(64));
    });
    expect(await getReplayTree(context(), { orderId, seq: "1" })).toMatchObject({ error: { code: "TREE_MISMATCH" } });
    // Thrown away, the index is made anew from the log.
    await inside(workspaceId, (_, state) => {
      state.storage.sql.exec("DROP TABLE replay_files");
      state.storage.sql.exec("DROP TABLE replay_entries");
    });
    await abort(workspaceId);
    expect((await treeOf(orderId, 1)).treeHash).toBe(moments[1]!.treeHash);
  });
});

describe("replay beside everything else", () => {
  it("leaves out the batches of other orders in the same workspace, and shows what they left", async () => {
    const first = await anOrder();
    const second = await anOrder({ workspaceId: first.workspaceId });
    value(await apply(aLine(first.workspaceId, 1, "one", { orderId: first.orderId })));
    value(await apply(aLine(first.workspaceId, 2, "two", { orderId: second.orderId })));
    value(await apply(aLine(first.workspaceId, 3, "three", { orderId: first.orderId })));
    const { batches } = value(await listReplay(context(), { orderId: first.orderId }));
    expect(batches.map((batch) => batch.seq)).toEqual([1, 3]);
    const file = { seq: "3", file: "src/index.ts" };
    const read = value(await getReplayFile(context(), { orderId: first.orderId, ...file }));
    expect(read.file.content.split("\n").slice(0, 3)).toEqual(["// one", "// two", "// three"]);
  });

  it("needs no engine for trees once it has seen the source, and rebuilds a lost workspace for files", async () => {
    const orderId = mint("ORD");
    const workspaceId = `order:${orderId}`;
    await useSpareHost(workspaceId);
    const stub = env.WORKSPACE.getByName(workspaceId) as never as {
      open(id: string, source: unknown): Promise<unknown>;
      replayTree(seq: number, after: null): Promise<{ ok: boolean; treeHash?: string }>;
      replayFile(seq: number, path: string): Promise<unknown>;
    };
    await stub.open(workspaceId, { kind: "path", path: engine.source });
    const answer = await apply(aLine(workspaceId, 1, "kept", { orderId }));
    expect(await stub.replayTree(1, null)).toMatchObject({ ok: true, treeHash: answer.outcome!.treeHash });
    await loseSpareDisk();
    expect(await stub.replayTree(0, null)).toMatchObject({ ok: true });
    expect(await stub.replayTree(1, null)).toMatchObject({ ok: true, treeHash: answer.outcome!.treeHash });
    expect(await stub.replayFile(0, "src/index.ts")).toMatchObject({ ok: true });
  });

  it("reads a file while a batch changes it: what it shows is of the entry asked for", async () => {
    const { orderId, workspaceId } = await anOrder();
    value(await apply(aLine(workspaceId, 1, "before", { orderId })));
    await treeOf(orderId, 1);
    const fault = await faults.set("delayUntil", batchesOf(encodeURIComponent(workspaceId)));
    const second = apply(aLine(workspaceId, 2, "meanwhile", { orderId }));
    await fault.applied();
    const read = await getReplayFile(context(), { orderId, seq: "1", file: "src/index.ts" });
    await fault.release();
    value(await second);
    expect(value(read).file.content.split("\n").slice(0, 2)).toEqual(["// before", "export const v1 = 1;"]);
  });
});
