import { execFile } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { verifyEntries } from "patch-engine/core";
import { aBatch, anAppend } from "@shared/testing";
import { GENESIS_HEAD, LogEntrySchema } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  answerOf,
  applyBatch,
  openWorkspace,
  problemIn,
  startHost,
  workspaceOf,
  workspacePath,
} from "./support/host.ts";
import { temporaryDirectory, writeTree } from "./support/tree.ts";

const FILES = { "src/index.ts": "export const one = 1;\n" };

describe("a restart", () => {
  test("after a graceful stop finds every workspace at its head", async () => {
    const dataDir = await temporaryDirectory();
    const host = await startHost({ dataDir });
    await writeTree(host.root, FILES);
    const source = { kind: "path", path: host.root } as const;
    for (const id of ["a", "order:b"]) {
      await openWorkspace(host, id, source);
      await applyBatch(host, id, aBatch({ batchId: "B-1" }));
    }
    const before = await Promise.all(["a", "order:b"].map((id) => workspaceOf(host, id)));
    expect(await host.stop()).toEqual({ code: 0, signal: null });

    const again = await startHost({ dataDir, sourceRoots: [host.root] });
    expect(await Promise.all(["a", "order:b"].map((id) => workspaceOf(again, id)))).toEqual(before);
    expect((await applyBatch(again, "a", aBatch({ batchId: "B-1" }))).head).toEqual(before[0]!.head);
    expect((await openWorkspace(again, "a", source)).created).toBe(false);
  });

  test("after kill -9 amid batches has each answered batch once, a whole chain, and takes the rest once", async () => {
    const dataDir = await temporaryDirectory();
    const host = await startHost({ dataDir });
    await writeTree(host.root, FILES);
    await openWorkspace(host, "default", { kind: "path", path: host.root });
    const batches = Array.from({ length: 40 }, (_, i) =>
      aBatch({
        batchId: `B-${i}`,
        patches: [anAppend({ block: `// batch ${i}\n` }), anAppend({ file: "src/two.ts", block: `// batch ${i}\n` })],
      }),
    );
    const answered: string[] = [];
    let killed: Promise<void> | undefined;
    const queue = [...batches];
    const send = async () => {
      for (let batch = queue.shift(); batch; batch = queue.shift()) {
        await applyBatch(host, "default", batch);
        answered.push(String(batch.batchId));
        // The tenth answer is the barrier: the batches of the other senders are on their way.
        if (answered.length === 10) killed = host.kill();
      }
    };
    await Promise.allSettled(Array.from({ length: 6 }, send));
    await killed;
    expect(answered.length).toBeGreaterThanOrEqual(10);
    expect(answered.length).toBeLessThan(40);

    const again = await startHost({ dataDir, sourceRoots: [host.root] });
    const logged = await entriesOf(again);
    expect(verifyEntries(logged, GENESIS_HEAD)).toMatchObject({ ok: true });
    expect(logged.map((entry) => entry.batchId)).toEqual(expect.arrayContaining(answered));
    expect(await linesOf(again)).toEqual(logged.map((entry) => `// ${entry.batchId.replace("B-", "batch ")}`));

    for (const batch of batches) await applyBatch(again, "default", batch);
    const lines = await linesOf(again);
    expect(lines.toSorted()).toEqual(batches.map((_, i) => `// batch ${i}`).toSorted());
    expect(await workspaceOf(again, "default")).toMatchObject({ head: { seq: 40 } });
  });

  test("clears away what an earlier run left half opened", async () => {
    const dataDir = await temporaryDirectory();
    await writeTree(dataDir, { "staging/999999999-x/tree/a.ts": "", "staging/junk/b.ts": "" });
    await startHost({ dataDir });
    expect(readdirSync(join(dataDir, "staging"))).toEqual([]);
  });

  const entriesOf = async (host: Awaited<ReturnType<typeof startHost>>) => {
    const { body } = await host.request("GET", workspacePath("default", "/log?limit=1000"));
    return z.object({ entries: z.array(LogEntrySchema) }).parse(body).entries;
  };
  /** The lines that both files must have. */
  const linesOf = async (host: Awaited<ReturnType<typeof startHost>>) => {
    const read = async (path: string) => {
      const { body } = await host.request("GET", workspacePath("default", `/files/${path}`));
      return z
        .object({ file: z.object({ content: z.string() }) })
        .parse(body)
        .file.content.trimEnd()
        .split("\n");
    };
    const [one, two] = [await read("src/index.ts"), await read("src/two.ts")];
    expect(one.slice(1)).toEqual(two);
    return two;
  };
});

describe("a graceful stop", () => {
  test("finishes what runs, refuses what is new, and exits 0", async () => {
    const dataDir = await temporaryDirectory();
    const host = await startHost({ dataDir });
    await writeTree(host.root, { ...FILES, ".mission_control/policy.json": '{"check":["cat","gate"]}' });
    await openWorkspace(host, "default", { kind: "path", path: host.root });
    const [directory] = readdirSync(join(dataDir, "workspaces"));
    const gate = join(dataDir, "workspaces", directory!, "gate");
    await promisify(execFile)("mkfifo", [gate]);

    const validated = host.request("POST", workspacePath("default", "/validate"));
    // Opening a pipe to write waits for its reader: the check runs now, until the pipe is closed.
    const held = await open(gate, "w");
    host.signal("SIGTERM");
    await host.logged("stopping");
    const refused = await host.request("POST", workspacePath("default", "/batches"), { batch: aBatch() });
    expect(problemIn(refused)).toMatchObject({ code: "SHUTTING_DOWN", status: 503, error: { retryable: true } });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await host.request("GET", "/readyz")).status).toBe(503);
    expect((await host.request("GET", "/healthz")).status).toBe(200);
    host.signal("SIGINT");
    await held.close();
    expect(await validated).toMatchObject({ status: 200, body: { checks: [{ ok: true }] } });
    expect(await host.exited).toEqual({ code: 0, signal: null });
  });

  test("answers every batch it has taken on", async () => {
    const dataDir = await temporaryDirectory();
    const host = await startHost({ dataDir });
    await writeTree(host.root, FILES);
    await openWorkspace(host, "default", { kind: "path", path: host.root });
    let stopping = false;
    const answered = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const block = `// ${i}\n`;
        const batch = aBatch({ patches: [anAppend({ block })] });
        // A request that the host has not read when its server closes gets no answer.
        const answer = await host.request("POST", workspacePath("default", "/batches"), { batch }).catch(() => null);
        if (answer && !stopping) {
          stopping = true;
          host.signal("SIGTERM");
        }
        if (answer?.status === 503) expect(problemIn(answer).code).toBe("SHUTTING_DOWN");
        else if (answer) expect(answerOf(answer).ok).toBe(true);
        return answer?.status === 200 ? [block] : [];
      }),
    );
    expect((await host.exited).code).toBe(0);
    const [directory = ""] = readdirSync(join(dataDir, "workspaces"));
    const text = await readFile(join(dataDir, "workspaces", directory, "src/index.ts"), "utf8");
    const applied = text.match(/^\/\/ \d+\n/gm) ?? [];
    expect(applied.toSorted()).toEqual(answered.flat().toSorted());
    expect(applied.length).toBeGreaterThan(0);
  });
});

describe("starting", () => {
  test.for([
    ["no token", { ENGINE_TOKEN: "" }, "ENGINE_TOKEN is required", 2],
    ["a relative data directory", { ENGINE_DATA: "data" }, "ENGINE_DATA must be an absolute path", 2],
    ["a port out of range", { ENGINE_PORT: "70000" }, "ENGINE_PORT", 2],
    ["a malformed template list", { ENGINE_TEMPLATES: "worker" }, "ENGINE_TEMPLATES", 2],
    ["a data directory that is a file", { ENGINE_DATA: "/dev/null/x" }, "could not start", 1],
  ] as const)("with %s fails with one line that says so", async ([, env, message, code]) => {
    await expect(startHost({ env })).rejects.toThrow(new RegExp(`\\(${code}\\): .*${message}.*\\n$`));
  });

  test("on a port in use fails", async () => {
    const host = await startHost();
    const env = { ENGINE_PORT: new URL(host.url).port };
    await expect(startHost({ env })).rejects.toThrow("EADDRINUSE");
  });
});

describe("health, metrics and logs", () => {
  test("are open, count by bounded labels, and never show the token", async () => {
    const host = await startHost();
    await writeTree(host.root, FILES);
    await openWorkspace(host, "order:ORD-XYZZY", { kind: "path", path: host.root });
    await applyBatch(host, "order:ORD-XYZZY", aBatch());
    await host.request("POST", workspacePath("order:ORD-XYZZY", "/batches"), { batch: { patches: [] } });
    await host.request("GET", `/v1/workspaces/unknown-XYZZY`);
    await host.request("GET", `/no/such/route-XYZZY`);
    await fetch(`${host.url}/v1/workspaces`, { method: "BREWXYZZY" });
    const open = (path: string) => fetch(host.url + path);
    expect(await (await open("/healthz")).json()).toEqual({ ok: true });
    expect(await (await open("/readyz")).json()).toEqual({ ok: true, ready: true });
    const metrics = await (await open("/metrics")).text();
    expect(metrics).toMatch(/^vibehq_engine_batches_total\{kind="apply",outcome="applied"\} 1$/m);
    expect(metrics).toMatch(/^vibehq_engine_batches_total\{kind="apply",outcome="refused"\} 1$/m);
    expect(metrics).toMatch(/^vibehq_engine_refusals_total\{kind="apply",code="VALIDATION_FAILED"\} 1$/m);
    expect(metrics).toMatch(/^vibehq_engine_batch_seconds_count\{kind="apply"\} 2$/m);
    expect(metrics).toMatch(/^vibehq_engine_open_engines 1$/m);
    expect(metrics).toMatch(/method="GET",route="\/v1\/workspaces\/:id",status="404"\} 1$/m);
    expect(metrics).toMatch(/method="GET",route="unmatched",status="404"\} 1$/m);
    expect(metrics).not.toContain("XYZZY");
    expect(host.stderr()).toContain('"workspaceId":"order:ORD-XYZZY"');
    for (const line of host.stderr().trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("ts");
    expect(host.stderr() + metrics).not.toContain(host.token);
  });

  test("a request keeps the id its caller gave it, and gets one where that is none", async () => {
    const host = await startHost();
    const idOf = async (given: string) =>
      (await fetch(`${host.url}/healthz`, { headers: { "x-request-id": given } })).headers.get("x-request-id");
    expect(await idOf("req-1")).toBe("req-1");
    expect(await idOf("a b{}")).toMatch(/^[0-9a-f-]{36}$/);
  });
});
