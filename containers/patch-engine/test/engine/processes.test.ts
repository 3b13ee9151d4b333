import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openEngine } from "../../index.ts";
import { BOOT_ID, WorkspaceLock } from "../../workspace/WorkspaceLock.ts";
import { apply, makeRoot, open, read } from "./tempWorkspace.ts";

const CHILD = fileURLToPath(new URL("editingChild.ts", import.meta.url));

it("eight processes that edit one workspace at once lose no edit and tear no file", async () => {
  const root = makeRoot({ "shared.txt": "start\n" });
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const children: ChildProcess[] = [];
  for (const name of names) {
    const child = spawn(process.execPath, [CHILD, root, name, "3"], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
  }
  await Promise.all(children.map((child) => once(child.stdout!, "data")));
  const ended = children.map((child) => once(child, "close"));
  for (const child of children) child.stdin!.write("go\n");
  expect((await Promise.all(ended)).map(([code]: unknown[]) => code)).toEqual(names.map(() => 0));

  const edits = names.flatMap((name) => [0, 1, 2].map((at) => `${name} ${at}`));
  const lines = read(root, "shared.txt").split("\n");
  expect(lines.shift()).toBe("start");
  expect(lines.pop()).toBe("");
  expect(lines.toSorted()).toEqual(edits);
  for (const name of names) expect(read(root, `own/${name}.txt`)).toBe("0\n1\n2\n");

  const engine = await open(root);
  expect((await engine.verify()).ok).toBe(true);
  expect(engine.info().head.seq).toBe(24);
  expect((await apply(engine, { patches: [{ op: "append", file: "shared.txt", block: "end" }] })).ok).toBe(true);
}, 60_000);

const lockOf = (holder: { host: string; boot: string; pid: number; started: string }): string =>
  ["nonce", holder.host, holder.boot, holder.pid, holder.started, ""].join("\n");

const here = { host: hostname(), boot: BOOT_ID };

it.each([
  ["whose process has ended", { ...here, pid: 2 ** 22 + 1, started: "1" }],
  ["whose process id is another process by now", { ...here, pid: process.pid, started: "1" }],
  ["from before the machine was started", { ...here, boot: "another", pid: process.pid, started: "1" }],
  ["that a power loss emptied", null],
])("a lock %s is taken over", async (_whose, holder) => {
  const root = makeRoot({ "a.ts": "export {};\n" });
  await (await open(root)).close();
  writeFileSync(join(root, ".mission_control/lock"), holder === null ? "" : lockOf(holder));
  const engine = await open(root, { lockTimeoutMs: 0 });
  expect(engine.info().files).toBe(1);
  expect(existsSync(join(root, ".mission_control/lock"))).toBe(false);
});

it("a lock whose remover died too is taken over", async () => {
  const root = makeRoot({ "a.ts": "export {};\n" });
  await (await open(root)).close();
  const dead = lockOf({ ...here, pid: 2 ** 22 + 1, started: "1" });
  for (const name of ["lock", "lock.t", "lock.t.t"]) writeFileSync(join(root, ".mission_control", name), dead);
  const opened = await openEngine({ root, workspaceId: "test", lockTimeoutMs: 1000 });
  expect(opened.ok).toBe(true);
  if (opened.ok) await opened.engine.close();
});

it.each([
  ["that lives", async (path: string) => void (await new WorkspaceLock(path).acquire(0))],
  [
    "of another machine, of which nothing can be known",
    async (path: string) => writeFileSync(path, lockOf({ host: "elsewhere", boot: "x", pid: 1, started: "1" })),
  ],
])("a lock of a holder %s is waited for, then LOCK_TIMEOUT", async (_whose, take) => {
  const root = makeRoot({ "a.ts": "export {};\n" });
  const engine = await open(root, { lockTimeoutMs: 0 });
  await take(join(root, ".mission_control/lock"));
  const answer = await apply(engine, { patches: [{ op: "append", file: "a.ts", block: "//" }] });
  expect(answer.error).toMatchObject({ code: "LOCK_TIMEOUT", retryable: true, nothingWritten: true });
  expect(read(root, "a.ts")).toBe("export {};\n");
});
