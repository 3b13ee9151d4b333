import { execFile } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { aBatch, aCreateFile, anAppend, aReplaceBlock, aTasksFile } from "@shared/testing";
import { GENESIS_HEAD } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { applyBatch, openWorkspace, problemIn, startHost, workspaceOf, workspacePath } from "./support/host.ts";
import { commitAll } from "./support/repository.ts";
import { packed } from "./support/tarball.ts";
import { fingerprint, writeTree } from "./support/tree.ts";

const FILES = {
  "src/index.ts": "export const one = 1;\n",
  "README.md": "# Hello\n\n###FINAL_MILE_PROMPT__USAGE###\n###END_USAGE###\n",
};

describe("opening a workspace", () => {
  test("gives one tree hash to the same files, whatever the kind of their source", async () => {
    const host = await startHost();
    const files = { ...FILES, "bin/run": "#!/bin/sh\n" };
    const repository = join(host.root, "repository");
    await writeTree(repository, files, ["bin/run"]);
    const commit = await commitAll(repository);
    await writeTree(join(host.root, "template"), files, ["bin/run"]);
    const withTemplates = await startHost({
      sourceRoots: [host.root],
      templates: { worker: join(host.root, "template") },
    });
    const before = await fingerprint(host.root);
    const opened = [
      await openWorkspace(withTemplates, "template", { kind: "template", template: "worker" }),
      await openWorkspace(withTemplates, "path", { kind: "path", path: repository }),
      await openWorkspace(withTemplates, "git", { kind: "git", repository }),
      await openWorkspace(withTemplates, "archive", {
        kind: "archive",
        base64: packed(files, ["bin/run"]).toString("base64"),
      }),
    ];
    const [{ workspace }] = opened as [(typeof opened)[number]];
    expect(opened.map((each) => each.workspace.treeHash)).toEqual(Array.from({ length: 4 }, () => workspace.treeHash));
    expect(opened.map((each) => each.workspace.pin)).toEqual([
      workspace.treeHash,
      workspace.treeHash,
      commit,
      workspace.treeHash,
    ]);
    expect(workspace).toMatchObject({ head: GENESIS_HEAD, files: 3 });
    expect(await fingerprint(host.root)).toBe(before);
  });

  test("again from the same source is the same workspace, edits and all; from another it is refused", async () => {
    const host = await startHost();
    await writeTree(join(host.root, "a"), FILES);
    await writeTree(join(host.root, "b"), FILES);
    const source = { kind: "path", path: join(host.root, "a") } as const;
    const first = await openWorkspace(host, "default", source);
    expect(first.created).toBe(true);
    const { head } = await applyBatch(host, "default", aBatch());
    await rm(join(host.root, "a"), { recursive: true });
    const second = await openWorkspace(host, "default", source);
    expect(second).toMatchObject({ created: false, workspace: { head, pin: first.workspace.pin } });

    const other = { workspaceId: "default", source: { kind: "path", path: join(host.root, "b") } };
    expect(problemIn(await host.request("POST", "/v1/workspaces", other)).code).toBe("WORKSPACE_EXISTS");
    expect((await workspaceOf(host, "default")).head).toEqual(head);
  });

  test("at a pin that the source no longer has is refused and leaves nothing behind", async () => {
    const host = await startHost();
    await writeTree(host.root, FILES);
    const source = { kind: "path", path: host.root } as const;
    const { workspace } = await openWorkspace(host, "first", source);
    const open = (workspaceId: string, pin: string) =>
      host.request("POST", "/v1/workspaces", { workspaceId, source, pin });
    expect((await open("second", workspace.pin)).status).toBe(200);
    await writeTree(host.root, { "src/index.ts": "changed\n" });
    expect(problemIn(await open("third", workspace.pin)).code).toBe("SOURCE_INVALID");
    expect(problemIn(await host.request("GET", workspacePath("third"))).code).toBe("WORKSPACE_NOT_FOUND");
    expect(problemIn(await open("first", "0".repeat(64))).code).toBe("SOURCE_INVALID");
    expect((await open("first", workspace.pin)).status).toBe(200);
  });

  test("ten times at once does the work once", async () => {
    const host = await startHost();
    await writeTree(host.root, FILES);
    const source = { kind: "path", path: host.root } as const;
    const opened = await Promise.all(Array.from({ length: 10 }, () => openWorkspace(host, "order:ORD-1", source)));
    expect(opened.filter((each) => each.created)).toHaveLength(1);
    expect(new Set(opened.map((each) => each.workspace.treeHash)).size).toBe(1);
  });

  test("tells apart ids that differ in case, in an escape, or only beyond a file name's length", async () => {
    const host = await startHost();
    await writeTree(host.root, FILES);
    const source = { kind: "path", path: host.root } as const;
    const long = "x".repeat(199);
    const ids = [
      "web",
      "Web",
      "branch:p:feature%2Fone",
      "branch:p:feature%252Fone",
      "order:web",
      `${long}1`,
      `${long}2`,
    ];
    for (const id of ids) {
      expect((await openWorkspace(host, id, source)).created).toBe(true);
      await applyBatch(host, id, aBatch({ reason: id, patches: [aCreateFile({ file: "id.txt", block: id })] }));
    }
    for (const id of ids) {
      expect(await workspaceOf(host, id)).toMatchObject({ workspaceId: id, head: { seq: 1 } });
      const file = await host.request("GET", workspacePath(id, "/files/id.txt"));
      expect(file.body).toMatchObject({ file: { content: id } });
    }
  });
});

describe("a workspace", () => {
  test("answers for its files, markers, log, patches and tasks", async () => {
    const host = await startHost();
    await writeTree(host.root, { ...FILES, "with space/ä%.txt": "here\n" });
    await openWorkspace(host, "default", { kind: "path", path: host.root });
    const { entries } = await applyBatch(host, "default", aBatch({ patches: [aReplaceBlock({ id: "P-1" })] }));
    const get = (rest: string) => host.request("GET", workspacePath("default", rest));

    expect((await get("/files/src/index.ts")).body).toMatchObject({
      ok: true,
      file: { path: "src/index.ts", content: "export const answer = 42;\n", lines: 1, mode: "100644" },
    });
    const encoded = ["with space", "ä%.txt"].map(encodeURIComponent).join("/");
    expect((await get(`/files/${encoded}`)).body).toMatchObject({ file: { content: "here\n" } });
    expect((await get("/files/absent.ts")).status).toBe(422);
    expect(
      (await host.request("POST", workspacePath("default", "/markers"), { files: ["README.md"] })).body,
    ).toMatchObject({
      ok: true,
      files: [{ file: "README.md", exists: true, markers: [{ name: "USAGE", span: { start: 3, end: 4 } }] }],
    });
    expect((await get("/log")).body).toMatchObject({ ok: true, entries: [{ seq: 1 }], head: { seq: 1 } });
    expect((await get("/log?after=1")).body).toMatchObject({ entries: [], head: { hash: entries.at(-1)!.hash } });
    const patch = await get("/patches/P-1");
    expect(patch.body).toMatchObject({ ok: true, patch: { patch_id: "P-1", op: "replace-block" } });
    expect((patch.body as { diff: string }).diff).toContain("+export const answer = 42;");
    expect(problemIn(await get("/patches/absent")).code).toBe("PATCH_NOT_FOUND");
    expect((await host.request("PUT", workspacePath("default", "/tasks"), aTasksFile())).body).toEqual({ ok: true });
    await applyBatch(host, "default", aBatch({ patches: [anAppend({ taskId: "TASK-1" })] }));
  });

  test("reverts, simulates and answers a batch id twice with one effect", async () => {
    const host = await startHost();
    await writeTree(host.root, FILES);
    const { workspace } = await openWorkspace(host, "default", { kind: "path", path: host.root });
    const send = (batch: unknown, fields: object = {}) =>
      host.request("POST", workspacePath("default", "/batches"), { batch, ...fields });

    expect((await send(aBatch(), { simulate: true })).body).toMatchObject({ ok: true, outcome: { status: "dry-run" } });
    expect((await workspaceOf(host, "default")).head).toEqual(GENESIS_HEAD);

    const batch = aBatch({ batchId: "B-1" });
    const [first, second] = [await send(batch), await send(batch)];
    expect(second.body).toMatchObject({ ok: true, head: { seq: 1 } });
    expect((second.body as { outcome: unknown }).outcome).toMatchObject({
      treeHash: (first.body as { outcome: { treeHash: string } }).outcome.treeHash,
    });
    expect(await send({ ...batch, reason: "another" })).toMatchObject({
      status: 409,
      body: { ok: false, error: { code: "IDEMPOTENCY_CONFLICT" }, head: { seq: 1 } },
    });
    expect(await send(aBatch(), { expectedHead: GENESIS_HEAD })).toMatchObject({
      status: 409,
      body: { error: { code: "HEAD_MISMATCH" }, head: { seq: 1 }, entries: [{ seq: 1, batchId: "B-1" }] },
    });

    const reverted = await host.request("POST", workspacePath("default", "/revert"), {
      target: { by: "batch", id: "B-1" },
      batchId: "R-1",
    });
    expect(reverted.body).toMatchObject({ ok: true, head: { seq: 2 } });
    expect((await workspaceOf(host, "default")).treeHash).toBe(workspace.treeHash);
  });

  test("is rebuilt on an empty host from its source, its pin and its log", async () => {
    const host = await startHost();
    await writeTree(host.root, FILES);
    const source = { kind: "path", path: host.root } as const;
    const { workspace } = await openWorkspace(host, "default", source);
    const answers = [
      await applyBatch(host, "default", aBatch({ batchId: "B-1" })),
      await applyBatch(host, "default", aBatch({ batchId: "B-2", patches: [anAppend()] })),
    ];
    const { treeHash, head } = await workspaceOf(host, "default");
    const entries = [...answers[0]!.entries, ...answers[1]!.entries.filter((entry) => entry.seq > 1)];

    const fresh = await startHost({ sourceRoots: [host.root] });
    const opened = { workspaceId: "default", source, pin: workspace.pin };
    expect((await fresh.request("POST", "/v1/workspaces", opened)).status).toBe(200);
    const replayed = await fresh.request("POST", workspacePath("default", "/replay"), { entries, treeHash });
    expect(replayed.body).toMatchObject({ ok: true, treeHash, head });
    // What was applied before is still known by its id.
    expect(await applyBatch(fresh, "default", aBatch({ batchId: "B-1" }))).toMatchObject({ head: { seq: 2 } });
  });

  test("whose disk vanished is not found, and can be opened anew", async () => {
    const host = await startHost();
    await writeTree(host.root, FILES);
    const source = { kind: "path", path: host.root } as const;
    await openWorkspace(host, "default", source);
    await applyBatch(host, "default", aBatch());
    await rm(join(host.dataDir, "workspaces"), { recursive: true });
    const response = await host.request("POST", workspacePath("default", "/batches"), { batch: aBatch() });
    expect(problemIn(response).code).toBe("WORKSPACE_NOT_FOUND");
    expect(await openWorkspace(host, "default", source)).toMatchObject({
      created: true,
      workspace: { head: GENESIS_HEAD },
    });
  });

  test("runs its policy's own check and nothing else", async () => {
    const host = await startHost();
    await writeTree(host.root, {
      ...FILES,
      ".mission_control/policy.json": '{"check":["grep","-q","one","src/index.ts"]}',
    });
    await openWorkspace(host, "default", { kind: "path", path: host.root });
    const validate = () => host.request("POST", workspacePath("default", "/validate"));
    expect((await validate()).body).toMatchObject({ ok: true, checks: [{ ok: true }] });
    await applyBatch(host, "default", aBatch());
    expect((await validate()).body).toMatchObject({ ok: true, checks: [{ ok: false }] });
  });
});

test("more workspaces than engines may stay open are all served, and idle engines are closed", async () => {
  const host = await startHost({ env: { ENGINE_MAX_OPEN: "2" } });
  await writeTree(host.root, FILES);
  const ids = Array.from({ length: 6 }, (_, i) => `w-${i}`);
  for (const id of ids) await openWorkspace(host, id, { kind: "path", path: host.root });
  for (let round = 1; round <= 3; round++) {
    await Promise.all(
      ids.map((id) => applyBatch(host, id, aBatch({ patches: [anAppend({ block: `// ${round}\n` })] }))),
    );
  }
  for (const id of ids) expect((await workspaceOf(host, id)).head.seq).toBe(3);
  const metrics = String((await host.request("GET", "/metrics")).body);
  expect(metrics).toMatch(/^vibehq_engine_open_engines [12]$/m);
  expect(metrics).toMatch(/^vibehq_engine_workspaces 6$/m);
});

describe("telling of a workspace", () => {
  test("knows what patchctl has written since, in a process of its own", async () => {
    const host = await startHost();
    await writeTree(join(host.root, "source"), FILES);
    await openWorkspace(host, "default", { kind: "path", path: join(host.root, "source") });
    const { head: before } = await applyBatch(host, "default", aBatch());
    const [directory = ""] = await readdir(join(host.dataDir, "workspaces"));
    const patchctl = join(import.meta.dirname, "../../patch-engine/cli/patchctl.ts");
    const root = join(host.dataDir, "workspaces", directory);
    await promisify(execFile)(process.execPath, [
      patchctl,
      "append",
      "--root",
      root,
      "--file",
      "README.md",
      "--block",
      "More.",
    ]);
    const { head } = await workspaceOf(host, "default");
    expect(head.seq).toBe(before.seq + 1);
  });
});
