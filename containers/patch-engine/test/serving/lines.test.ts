import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { MAX_BATCH_BYTES } from "@shared/contracts";
import type { LineAnswer } from "../../serving/lines.ts";
import { makeRoot, open, read, tree } from "../engine/tempWorkspace.ts";

const PATCHCTL = fileURLToPath(new URL("../../cli/patchctl.cjs", import.meta.url));

function serve(root: string) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const child = spawn(process.execPath, [PATCHCTL, "serve", "--stdio"], { cwd: root, env });
  onTestFinished(() => void child.kill("SIGKILL"));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    stdin: child.stdin,
    exited,
    next: async () => {
      const { value } = await answers.next();
      return JSON.parse(String(value)) as LineAnswer;
    },
  };
}

const workspace = (files: Record<string, string> = {}) => {
  const root = makeRoot(files);
  mkdirSync(join(root, ".git"));
  return root;
};

const append = (batchId: string, block: string) =>
  JSON.stringify({ batchId, patches: [{ op: "append", file: "t.txt", block: `${block}\n` }] });

it("answers each batch with one line, in the order they came, however they are cut into pieces", async () => {
  const root = workspace();
  const { stdin, next, exited } = serve(root);
  const sent = Array.from({ length: 40 }, (_, at) => append(`b${at}`, `${at} é`)).join("\n");
  const bytes = Buffer.from(sent);
  // Cut within lines and within characters; the last line has no end.
  for (let at = 0; at < bytes.length; at += 71) stdin.write(bytes.subarray(at, at + 71));
  stdin.end();
  for (let at = 0; at < 40; at += 1) {
    const answer = await next();
    expect(answer).toMatchObject({ line: at + 1, ok: true, head: { seq: at + 1 }, outcome: { batchId: `b${at}` } });
  }
  expect(await exited).toBe(0);
  expect(read(root, "t.txt")).toBe(Array.from({ length: 40 }, (_, at) => `${at} é\n`).join(""));
});

it("answers a line before the next one is sent", async () => {
  const { stdin, next } = serve(workspace());
  stdin.write(`${append("one", "1")}\n`);
  expect(await next()).toMatchObject({ line: 1, ok: true });
  stdin.write(`${append("two", "2")}\n`);
  expect(await next()).toMatchObject({ line: 2, ok: true });
});

it("answers a bad line with an error, and goes on with the next", async () => {
  const root = workspace({ "block.txt": "from a file\n" });
  const { stdin, next, exited } = serve(root);
  const lines: [text: string, answer: object][] = [
    ["{", { ok: false, error: { code: "MALFORMED_JSON" } }],
    ["[]", { ok: false, error: { code: "VALIDATION_FAILED" } }],
    ["null", { ok: false, error: { code: "VALIDATION_FAILED" } }],
    [
      JSON.stringify({ patches: [{ op: "delete-file", file: "none" }] }),
      { ok: false, error: { code: "FILE_NOT_FOUND" } },
    ],
    [
      JSON.stringify({ patches: [{ op: "append", file: "t.txt", blockFile: "none" }] }),
      { ok: false, error: { code: "IO_ERROR" } },
    ],
    [
      JSON.stringify({ patches: [{ op: "append", file: "t.txt", block: "\ud800" }] }),
      { ok: false, error: { code: "ILL_FORMED_UNICODE" } },
    ],
    [
      JSON.stringify({ dryRun: true, patches: [{ op: "append", file: "t.txt", block: "x" }] }),
      { ok: true, outcome: { status: "dry-run" } },
    ],
    [JSON.stringify({ patches: [{ op: "append", file: "t.txt", blockFile: "block.txt" }] }), { ok: true }],
  ];
  stdin.end(lines.map(([text]) => `${text}\r\n`).join(""));
  for (const [at, [text, answer]] of lines.entries())
    expect(await next(), text).toMatchObject({ line: at + 1, ...answer });
  expect(await exited).toBe(0);
  expect(tree(root)).toMatchObject({ "t.txt": "from a file\n" });
});

it("passes over a line longer than a batch may be without holding it, and counts on", async () => {
  const root = workspace();
  const { stdin, next, exited } = serve(root);
  const chunk = Buffer.alloc(1024 * 1024, "x");
  for (let sent = 0; sent <= 4 * MAX_BATCH_BYTES; sent += chunk.length) {
    if (!stdin.write(chunk)) await new Promise((resolve) => stdin.once("drain", resolve));
  }
  stdin.end(`\n\n${append("after", "1")}\n`);
  expect(await next()).toMatchObject({ line: 1, ok: false, error: { code: "BODY_TOO_LARGE", nothingWritten: true } });
  expect(await next()).toMatchObject({ line: 3, ok: true });
  expect(await exited).toBe(0);
}, 30_000);

it("sees what another process applies between two lines", async () => {
  const root = workspace({ "t.txt": "" });
  const { stdin, next } = serve(root);
  stdin.write(`${append("one", "1")}\n`);
  expect((await next()).head?.seq).toBe(1);
  const other = await open(root);
  await other.apply({ batch: JSON.parse(append("other", "2")), door: "host" });
  stdin.write(`${append("two", "3")}\n`);
  expect((await next()).head?.seq).toBe(3);
  expect(read(root, "t.txt")).toBe("1\n2\n3\n");
});
