import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aBatch } from "@shared/testing";
import { SafetySchema } from "@shared/contracts";
import { openEngine, restoreSnapshot } from "patch-engine";
import { describe, expect, test } from "vitest";
import {
  answerOf,
  applyBatch,
  openWorkspace,
  problemIn,
  startHost,
  workspaceOf,
  workspacePath,
} from "./support/host.ts";
import { readTree, temporaryDirectory, writeTree } from "./support/tree.ts";

const FILES = { "src/a.ts": "export const one = 1;\nexport const two = 2;\n" };

async function hostWithWorkspace() {
  const host = await startHost();
  await writeTree(join(host.root, "source"), FILES);
  await openWorkspace(host, "ws", { kind: "path", path: join(host.root, "source") });
  return host;
}

const replace = (id: string, block: string) =>
  aBatch({ patches: [{ op: "replace-block", id, file: "src/a.ts", start: 2, end: 2, block }] });

describe("a snapshot from the host", () => {
  test("is one file that restores to the same workspace", async () => {
    const host = await hostWithWorkspace();
    await applyBatch(host, "ws", replace("p1", "export const two = 20;"));
    const { head, treeHash } = await workspaceOf(host, "ws");
    const response = await fetch(new URL(workspacePath("ws", "/snapshot"), host.url), {
      method: "POST",
      headers: { authorization: `Bearer ${host.token}` },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/gzip");
    expect(response.headers.get("x-vibehq-tree-hash")).toBe(treeHash);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(response.headers.get("content-length")).toBe(String(bytes.length));

    const place = await temporaryDirectory();
    const archive = join(place, "ws.tar.gz");
    await writeFile(archive, bytes);
    const root = join(place, "ws");
    expect(await restoreSnapshot(archive, root)).toMatchObject({ ok: true, manifest: { workspaceId: "ws", head } });
    const opened = await openEngine({ root, workspaceId: "ws" });
    if (!opened.ok) throw new Error(opened.error.message);
    expect(opened.engine.info()).toMatchObject({ head, treeHash });
    await opened.engine.close();
    expect((await readTree(root))["src/a.ts"]).toContain("two = 20");
  });

  test("of a workspace that is not there is refused", async () => {
    const host = await startHost();
    const response = await host.request("POST", workspacePath("none", "/snapshot"));
    expect(problemIn(response).code).toBe("WORKSPACE_NOT_FOUND");
  });
});

test("a simulated batch is answered with how safe it would be", async () => {
  const host = await hostWithWorkspace();
  const batch = replace("p1", "const two = 2;");
  const response = await host.request("POST", workspacePath("ws", "/batches"), { batch, simulate: true });
  const { safety } = answerOf(response).outcome!;
  expect(SafetySchema.parse(safety).reasons.map(({ name }) => name)).toEqual(["share-of-file", "exports-removed"]);
});

test("a revert whose lines moved on is refused with those lines", async () => {
  const host = await hostWithWorkspace();
  await applyBatch(host, "ws", replace("p1", "export const two = 20;"));
  await applyBatch(host, "ws", replace("p2", "export const two = 200;"));
  const target = { by: "patch", id: "p1" };
  const response = await host.request("POST", workspacePath("ws", "/revert"), { target, batchId: "undo" });
  expect(response.status).toBe(409);
  expect(answerOf(response).error).toMatchObject({
    code: "REVERT_CONFLICT",
    patchId: "p1",
    file: "src/a.ts",
    candidates: [{ start: 2, end: 2, lines: ["export const two = 200;"] }],
  });
});
