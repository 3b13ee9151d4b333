import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import path from "node:path";
import type { PatchLog } from "@shared/client";
import { GENESIS_HASH, patchIdOf, type CustodyRecord, type Failed } from "@shared/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runSampleOrder } from "../../../../scripts/sampleOrder.ts";
import { EventStream } from "./EventStream.ts";
import { startStack, type Stack } from "./stack.ts";

const root = path.resolve(import.meta.dirname, "../../../..");
const patchctl = path.join(root, "containers/patch-engine/cli/patchctl.ts");

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

/** Runs `patchctl` as an agent in the workspace does: on its directory, reporting to the orchestrator. */
async function runPatchctl(workspaceId: string, args: string[]): Promise<void> {
  const workspaces = path.join(stack.engine.dataDir, "workspaces");
  const readable = workspaceId.replace(":", "_");
  const directory = readdirSync(workspaces).find((name) => name.startsWith(`${readable}-`));
  if (directory === undefined) throw new Error(`the host has no directory for ${workspaceId}`);
  const child = spawn(process.execPath, [patchctl, ...args, "--root", path.join(workspaces, directory), "--json"], {
    env: { PATH: process.env.PATH, ORCHESTRATOR_URL: stack.url, ORCHESTRATOR_TOKEN: stack.token },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  await once(child, "close");
  if (child.exitCode !== 0) throw new Error(`patchctl ${args[0]} ended with ${child.exitCode}: ${said}`);
}

const demand = (result: { ok: true } | Failed): void => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
};

const keysOf = (value: object): string[] => Object.keys(value).toSorted();

describe("a factory's call, a REST call and patchctl in one workspace", () => {
  const orderId = "ORD-DOORS";
  const workspaceId = `order:${orderId}`;
  const applied: Record<"rpc" | "rest" | "patchctl", CustodyRecord> = Object.create(null);
  let stream: EventStream;

  beforeAll(async () => {
    const order = await stack.client.orders.create({
      id: orderId,
      title: "Three doors",
      factory: "agent-factory",
      source: { kind: "template", template: "agent-factory" },
      tasks: [{ id: "T-DOORS", title: "Anything", type: "generate" }],
    });
    demand(order);
    stream = await EventStream.open(stack.url, stack.token, workspaceId);
    const isApplied = (id: string) => (record: CustodyRecord) =>
      record.patch_id === id && record.event_type === "patch_applied";

    const phase = {
      orderId,
      phase: "rpc",
      batchId: "rpc",
      patches: [{ op: "append" as const, id: "by-rpc", file: "src/rpc.ts", block: "export const rpc = 1;\n" }],
    };
    demand(await stack.client.orders.fulfilPhase(phase));
    applied.rpc = await stream.first(isApplied("by-rpc"));

    const batch = {
      orderId,
      batchId: "rest",
      patches: [{ op: "append" as const, id: "by-rest", file: "src/rest.ts", block: "export const rest = 1;\n" }],
    };
    demand(await stack.client.patches.apply(batch));
    applied.rest = await stream.first(isApplied("by-rest"));

    const args = ["append", "--file", "src/shell.ts", "--block", "export const shell = 1;\n", "--order-id", orderId];
    await runPatchctl(workspaceId, args);
    await runPatchctl(workspaceId, ["flush"]);
    applied.patchctl = await stream.first(
      (record) => record.file === "src/shell.ts" && record.event_type === "patch_applied",
    );
  });
  afterAll(() => stream.close());

  test("lead to events of one shape on the socket", () => {
    expect(keysOf(applied.rest)).toEqual(keysOf(applied.rpc));
    expect(keysOf(applied.patchctl)).toEqual(keysOf(applied.rpc));
    for (const record of Object.values(applied)) {
      expect(record).toMatchObject({
        workspace_id: workspaceId,
        kind: "patch",
        op: "append",
        log: { seq: expect.any(Number) },
      });
    }
  });

  test("lead to rows of one shape in the log, each naming the record it stands for", async () => {
    const rows: PatchLog[] = [];
    for (const record of Object.values(applied)) {
      const row = await rowOf(record);
      expect(row).toMatchObject({ patch_id: record.patch_id, seq: record.seq, op: "append" });
      rows.push(row);
    }
    const [first = {}, ...others] = rows;
    for (const row of others) expect(keysOf(row)).toEqual(keysOf(first));
  });

  test("are told apart by who called, as the door knew it", () => {
    expect(applied.rpc.actor).toBe("factory:agent-factory");
    expect(applied.rest.actor).toMatch(/^token:/);
    expect(applied.patchctl.actor).toBe("patchctl");
  });

  test("share their room with requests, which the order's factory answers", async () => {
    expect(await stream.ask("get_conversation_state", "R-1")).toMatchObject({
      type: "accepted",
      data: { orderId, status: "in_progress", tasks: [{ id: "T-DOORS" }] },
    });
    expect(await stream.ask("deploy", "R-2")).toMatchObject({ type: "error", code: "UNKNOWN_REQUEST" });
  });

  test("form one chain without a hole, which verifies", async () => {
    const chain = stream.records.filter((record) => record.workspace_id === workspaceId);
    expect(chain.map(({ seq }) => seq)).toEqual(chain.map((_, at) => at + 1));
    for (const [at, { prev_hash }] of chain.entries()) expect(prev_hash).toBe(chain[at - 1]?.hash ?? GENESIS_HASH);
    expect(await stack.client.patches.verify(workspaceId)).toMatchObject({ ok: true });
  });

  async function rowOf(record: CustodyRecord): Promise<PatchLog> {
    // The log follows the workspace; a row that never comes ends in the test's own limit.
    for (;;) {
      const logs = await stack.client.patches.logs({ order_id: orderId, limit: 500 });
      if (!logs.ok) throw new Error(logs.error.code);
      const row = logs.results.find(
        ({ patch_id, event_type }) => patch_id === record.patch_id && event_type === record.event_type,
      );
      if (row) return row;
    }
  }
});

describe.each([
  {
    factory: "data-factory",
    filePath: "src/queries.ts",
    fileContents: 'export const countItems = () => ({ sql: "SELECT count(*) AS items FROM items", params: [] });\n',
  },
  {
    factory: "services-factory",
    filePath: "src/verbs.ts",
    fileContents: 'export const ping = (): Result<string> => ok("pong");\n',
  },
  { factory: "ui-factory", filePath: "src/page.ts", fileContents: "  () => `<footer>Made by patches</footer>`,\n" },
] as const)("$factory", ({ factory, filePath, fileContents }) => {
  test("fulfils an order on its own template, and the workspace's check passes", async () => {
    const orderId = `ORD-${factory}`;
    const source = { kind: "template" as const, template: factory };
    demand(await stack.client.orders.create({ id: orderId, title: factory, factory, source }));
    const file = { filePath, fileContents, filePurpose: "code" };
    const implementation = { files: [file], deploymentNeeded: false, commands: [] };
    const phase = { orderId, phase: "fill", batchId: `fill-${factory}`, implementation, lastPhase: true };
    expect(await stack.client.orders.fulfilPhase(phase)).toMatchObject({ ok: true, outcome: { status: "applied" } });

    expect(await stack.client.orders.get(orderId)).toMatchObject({ order: { status: "delivered" } });
    expect(await stack.client.patches.get(patchIdOf(phase.batchId, 0))).toMatchObject({
      events: [
        { event_type: "patch_requested", actor: `factory:${factory}` },
        { event_type: "patch_applied", op: "replace-marker", file: filePath },
        { event_type: "patch_validated" },
      ],
    });
  });
});

describe("the sample order", () => {
  test("is delivered: a stale patch is refused and corrected from its error alone", async () => {
    const steps: string[] = [];
    const stream = await EventStream.open(stack.url, stack.token, "order:ORD-SAMPLE");
    const { url, token } = stack;
    const { ok, lines } = await runSampleOrder({ url, token, log: (line) => steps.push(line) });
    expect({ ok, lines }).toMatchObject({ ok: true });
    expect(lines[0]).toMatch(/ORD-SAMPLE is delivered/);

    const refused = await stream.first(
      ({ patch_id, event_type }) => patch_id === "ORD-SAMPLE.stale" && event_type === "patch_failed",
    );
    expect(refused.meta.error).toMatchObject({ code: "AMBIGUOUS_LOCATION" });
    const corrected = await stream.first(
      ({ patch_id, event_type }) => patch_id === "ORD-SAMPLE.stale.corrected" && event_type === "patch_applied",
    );
    expect(corrected.file).toBe("src/respond.ts");
    await stream.first(({ event_type }) => event_type === "generation_complete");
    expect(stream.records.filter(({ kind }) => kind === "phase").map(({ event_type }) => event_type)).toEqual(
      expect.arrayContaining([
        "generation_started",
        "phase_implemented",
        "phase_validated",
        "deterministic_code_fix_completed",
      ]),
    );
    stream.close();
  });

  test("changes nothing when it is run again", async () => {
    const before = await stack.client.workspaces.get("order:ORD-SAMPLE");
    const { url, token } = stack;
    expect(await runSampleOrder({ url, token, log: () => undefined })).toMatchObject({ ok: true });
    expect(await stack.client.workspaces.get("order:ORD-SAMPLE")).toEqual(before);
  });
});
