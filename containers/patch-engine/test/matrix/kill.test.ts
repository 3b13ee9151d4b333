import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PatchBatchSchema, type LogEntry, type PatchEvent, type PatchOp } from "@shared/contracts";
import { flushReports } from "../../cli/report.ts";
import { planBatch, sha256 } from "../../core/index.ts";
import { apply, makeRoot, open, tree } from "../engine/tempWorkspace.ts";

/**
 * A process is killed at every step of a transaction, for every operation, over 1, 3 and 20 files. Every cell of the
 * table is run where VIBEHQ_FULL_MATRIX is set; else each operation over 1 file, and over 3 and 20 files a mixture.
 */
const FULL = Boolean(process.env.VIBEHQ_FULL_MATRIX);
const CHILD = fileURLToPath(new URL("killedChild.ts", import.meta.url));
const AT_ONCE = 3;

const contentOf = (at: number): string =>
  `one ${at}\ntwo ${at}\n###FINAL_MILE_PROMPT__X###\nthree ${at}\n###END_X###\nfour ${at}\n`;
const pathOf = (at: number): string => `dir${at % 4}/file${at}.txt`;

type Patch = { op: PatchOp } & Record<string, unknown>;
const diffOf = (at: number): string =>
  `--- a/${pathOf(at)}\n+++ b/${pathOf(at)}\n@@ -1,2 +1,2 @@\n one ${at}\n-two ${at}\n+2 ${at}\n`;

const OPERATIONS: Readonly<Record<PatchOp, (file: string, at: number) => Patch>> = {
  "replace-block": (file) => ({ op: "replace-block", file, start: 2, end: 2, block: "2" }),
  "insert-before": (file) => ({ op: "insert-before", file, line: 1, block: "0" }),
  "insert-after": (file) => ({ op: "insert-after", file, line: 6, block: "5" }),
  append: (file) => ({ op: "append", file, block: "end" }),
  prepend: (file) => ({ op: "prepend", file, block: "start" }),
  "apply-diff": (_file, at) => ({ op: "apply-diff", diff: diffOf(at) }),
  "search-replace": (file) => ({ op: "search-replace", file, search: "two", replace: "2" }),
  "create-file": (_file, at) => ({ op: "create-file", file: `new/${at}/made.txt`, block: "made\n" }),
  "delete-file": (file) => ({ op: "delete-file", file }),
  "rename-file": (file, at) => ({ op: "rename-file", file, to: `moved/${at}.txt` }),
  "replace-marker": (file) => ({ op: "replace-marker", file, marker: "X", block: "filled" }),
};
const EXAMPLE = { bytes: Buffer.from(contentOf(0)), sha256: sha256(contentOf(0)), mode: "100644" } as const;
/** What this engine carries out: an operation it does not have is refused, and writes nothing to be killed in. */
const kinds = (Object.keys(OPERATIONS) as PatchOp[]).filter((kind) => {
  const batch = PatchBatchSchema.parse({ patches: [OPERATIONS[kind](pathOf(0), 0)] });
  const planned = planBatch(batch, new Map([[pathOf(0), EXAMPLE]]), { mintPatchId: () => "p" });
  return planned.ok || planned.error.code !== "UNSUPPORTED_OPERATION";
});

const MIXTURE = kinds.toSorted((a, b) => Number(b.endsWith("-file")) - Number(a.endsWith("-file")));

interface Cell {
  name: string;
  files: number;
  patchFor: (at: number) => Patch;
}
const cell = (kind: PatchOp, files: number): Cell => ({
  name: `${kind} of ${files} file${files === 1 ? "" : "s"}`,
  files,
  patchFor: (at) => OPERATIONS[kind](pathOf(at), at),
});
const mixed = (files: number): Cell => ({
  name: `all operations, over ${files} files`,
  files,
  // Begins with what changes names, so that three files have a bit of each.
  patchFor: (at) => OPERATIONS[MIXTURE[at % MIXTURE.length] ?? "append"](pathOf(at), at),
});
const CELLS: Cell[] = FULL
  ? [1, 3, 20].flatMap((files) => [...kinds.map((kind) => cell(kind, files)), mixed(files)])
  : [...kinds.map((kind) => cell(kind, 1)), mixed(3), mixed(20)];

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

const filesOf = (root: string): [string, string][] =>
  Object.entries(tree(root))
    .filter(([path]) => !path.endsWith("/"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

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
