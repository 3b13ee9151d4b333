import { spawn } from "node:child_process";
import { cpSync, lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATCH_OPS, type LogEntry, type PatchEvent } from "@shared/contracts";
import { flushReports } from "../../cli/report.ts";
import { apply, makeRoot, open, tree } from "../engine/tempWorkspace.ts";
import { contentOf, kinds, MIXTURE, OPERATIONS, pathOf, type Kind, type Patch } from "./operations.ts";

/**
 * A process is killed at every step of a transaction, for every operation, over 1, 3 and 20 files. Every cell of the
 * table is run where VIBEHQ_FULL_MATRIX is set; else each operation over 1 and 3 files, and over 20 a mixture.
 */
const FULL = Boolean(process.env.VIBEHQ_FULL_MATRIX);
const CHILD = fileURLToPath(new URL("killedChild.ts", import.meta.url));
const AT_ONCE = 3;

it("every operation there is has a row in the matrix", () => {
  expect(new Set(kinds.map((kind) => OPERATIONS[kind](pathOf(0), 0).op))).toEqual(new Set(PATCH_OPS));
});

interface Cell {
  name: string;
  files: number;
  patchFor: (at: number) => Patch;
}
const cell = (kind: Kind, files: number): Cell => ({
  name: `${kind} of ${files} file${files === 1 ? "" : "s"}`,
  files,
  patchFor: (at) => OPERATIONS[kind](pathOf(at), at),
});
const mixed = (files: number): Cell => ({
  name: `all operations, over ${files} files`,
  files,
  patchFor: (at) => OPERATIONS[MIXTURE[at % MIXTURE.length] ?? "append"](pathOf(at), at),
});
const CELLS: Cell[] = FULL
  ? [1, 3, 20].flatMap((files) => [...kinds.map((kind) => cell(kind, files)), mixed(files)])
  : [...[1, 3].flatMap((files) => kinds.map((kind) => cell(kind, files))), mixed(20)];

interface Report {
  events: PatchEvent[];
  entries: LogEntry[];
}
const reports = new Map<string, Report[]>();
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    const { events, entries } = JSON.parse(body) as Report;
    const id = entries[0]?.requester ?? "";
    reports.set(id, [...(reports.get(id) ?? []), { events, entries }]);
    response.end("{}");
  });
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => void server.close());
const target = () => ({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: "t" });

/** What the children share, so that each starts faster. */
const compiled = mkdtempSync(join(tmpdir(), "vibehq-compiled-"));
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

function kill(root: string, step: number, batch: object): Promise<{ signal: string | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, root, String(step), JSON.stringify(batch)], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (_code, signal) => resolve({ signal, output }));
  });
}

const filesOf = (root: string): [path: string, content: string, mode: number][] =>
  Object.entries(tree(root))
    .filter(([path]) => !path.endsWith("/"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, content]) => [path, content, lstatSync(join(root, path)).mode & 0o777]);

describe.each(CELLS)("killed at any step of $name", ({ files, patchFor }) => {
  it("a workspace is wholly old or wholly new, its log agrees, and each event is told once", async () => {
    const places = Array.from({ length: files }, (_one, at) => at);
    const pristine = makeRoot(Object.fromEntries(places.map((at) => [pathOf(at), contentOf(at)])));
    const batch = { batchId: "killed", patches: places.map(patchFor) };
    const whole = makeRoot({});
    cpSync(pristine, whole, { recursive: true });
    const steps: string[] = [];
    const engine = await open(whole, { faults: { at: (step) => void steps.push(step) } });
    const applied = await apply(engine, batch);
    expect(applied.error).toBeUndefined();
    const [before, after] = [filesOf(pristine), filesOf(whole)];
    expect(after).not.toEqual(before);

    const killAt = async (step: string, at: number): Promise<void> => {
      const root = makeRoot({});
      cpSync(pristine, root, { recursive: true });
      const requester = root;
      const sent = { ...batch, requester };
      expect(await kill(root, at + 1, sent), step).toEqual({ signal: "SIGKILL", output: "" });

      const reopened = await open(root);
      const { head, treeHash } = reopened.info();
      expect(head.seq, step).toBe(step === "checked" ? 0 : 1);
      expect(filesOf(root), step).toEqual(head.seq === 1 ? after : before);
      expect(await reopened.verify(), step).toMatchObject({ ok: true });
      const left = readdirSync(root, { recursive: true, encoding: "utf8" });
      expect(
        left.filter((path) => path.includes(".vibehq-")),
        step,
      ).toEqual([]);

      await flushReports(reopened, root, "matrix", target());
      expect((await apply(reopened, sent)).outcome?.status, step).toBe("applied");
      expect(filesOf(root), step).toEqual(after);
      expect(reopened.info().treeHash, step).toBe(applied.outcome?.treeHash);
      if (head.seq === 1) expect(treeHash, step).toBe(applied.outcome?.treeHash);
      await flushReports(reopened, root, "matrix", target());
      await flushReports(reopened, root, "matrix", target());
      const told = reports.get(requester) ?? [];
      expect(
        told.flatMap(({ entries }) => entries.map(({ seq }) => seq)),
        step,
      ).toEqual([1]);
      expect(
        told.flatMap(({ events }) => events.map(({ patch_id }) => patch_id)),
        step,
      ).toEqual(applied.outcome!.patches.map(({ patch_id }) => patch_id));
      await reopened.close();
    };
    for (let at = 0; at < steps.length; at += AT_ONCE) {
      await Promise.all(steps.slice(at, at + AT_ONCE).map((step, index) => killAt(step, at + index)));
    }
  }, 300_000);
});
