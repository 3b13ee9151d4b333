import { aBatch } from "@shared/testing";
import { expect, test } from "vitest";
import { answerOf, openWorkspace, startHost, workspacePath } from "./support/host.ts";
import { writeTree } from "./support/tree.ts";

const MEGABYTE = 1024 * 1024;
const filling = (part: string): string => part.repeat(Math.floor(MEGABYTE / part.length));
const names = "--- a/src/index.ts\n+++ b/src/index.ts\n";

test.for<[what: string, diff: string]>([
  ["of files without end", filling("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")],
  ["of hunks without numbers", names + filling("@@ ... @@\n-a\n+b\n")],
  ["of half a match everywhere", `${names}@@ -1,2 +1,2 @@\n${filling(" export const one = 1;\n")}-x\n+y\n`],
  ["of one line", `${names}@@ -1 +1 @@\n-${"x".repeat(MEGABYTE)}\n+y\n`],
  ["of escapes", `--- "a/${filling("\\303")}"\n+++ b/x\n`],
])("a megabyte of a diff %s is refused, and the host goes on", async ([, diff]) => {
  const host = await startHost();
  await writeTree(host.root, { "src/index.ts": "export const one = 1;\n" });
  await openWorkspace(host, "default", { kind: "path", path: host.root });
  const send = (patches: object[]) =>
    host.request("POST", workspacePath("default", "/batches"), { batch: { ...aBatch(), patches } });
  const refused = await send([{ op: "apply-diff", diff }]);
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.status).toBeLessThan(500);
  expect(answerOf(refused)).toMatchObject({ ok: false, error: { nothingWritten: true } });
  const { body } = await host.request("GET", workspacePath("default", "/files/src/index.ts"));
  expect(body).toMatchObject({ file: { content: "export const one = 1;\n" } });
  const next = await send([{ op: "append", file: "src/index.ts", block: "// next\n" }]);
  expect(answerOf(next).ok).toBe(true);
  expect((await host.request("GET", "/healthz")).status).toBe(200);
});
