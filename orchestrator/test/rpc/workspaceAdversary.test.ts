import type { LogEntry, PatchEvent } from "@shared/contracts";
import { entryHash } from "patch-engine/core";
import { describe, expect, inject, it } from "vitest";
import { factoryActor } from "../../worker/context.ts";
import { recordEvents } from "../../worker/services/patch/recordEvents.ts";
import { revertPatches } from "../../worker/services/patch/revertPatches.ts";
import { verifyChain } from "../../worker/services/patch/verifyChain.ts";
import { openWorkspace } from "../../worker/services/workspace/openWorkspace.ts";
import { setOrderAlias } from "../../worker/services/workspace/setOrderAlias.ts";
import {
  abort,
  aLine,
  apply,
  aWorkspace,
  batchesOf,
  chainOf,
  context,
  hubSeqsOf,
  inside,
  linesOf,
  mint,
  object,
  patchctl,
  ring,
  rows,
  typesOf,
  value,
} from "./workspaceHarness.ts";

const bodyOf = (init: RequestInit | undefined): string => (typeof init?.body === "string" ? init.body : "");

/** Lets what the engine answers to batches that hold `word` pass through `change` on its way to this instance. */
function answersOf(workspaceId: string, word: string, change: (body: string) => Response | Promise<Response>) {
  const real = globalThis.fetch;
  const { path } = batchesOf(workspaceId);
  globalThis.fetch = async (input, init) => {
    const response = await real(input, init);
    const meant = typeof input === "string" && decodeURIComponent(input).includes(path) && bodyOf(init).includes(word);
    return meant ? change(await response.text()) : response;
  };
  return () => {
    globalThis.fetch = real;
  };
}

const logged = (entry: LogEntry): PatchEvent => ({
  patch_id: entry.patches[0]?.patch_id ?? "",
  file: "src/index.ts",
  op: "replace-block",
  log: { seq: entry.seq, hash: entry.hash, treeAfter: entry.treeAfter },
});

async function entryOf(workspaceId: string, seq: number): Promise<LogEntry> {
  const entry = await object(workspaceId).entry(seq);
  if (!entry) throw new Error(`no entry ${seq}`);
  return entry;
}

/** An entry that chains and verifies, and that no engine made. */
function forged(entry: LogEntry, fields: Partial<LogEntry>): LogEntry {
  const { hash: _hash, ...rest } = { ...entry, ...fields };
  return { ...rest, hash: entryHash(rest) };
}

describe("an engine whose word cannot be used", () => {
  it("says applied with entries that do not chain: never told as nothing written, and resolves", async () => {
    const workspaceId = await aWorkspace();
    const batch = aLine(workspaceId, 3, "unchained");
    const restore = answersOf(workspaceId, "unchained", (body) =>
      Response.json({
        ...JSON.parse(body),
        entries: JSON.parse(body).entries.map((e: LogEntry) => ({ ...e, seq: 7 })),
      }),
    );
    try {
      expect(await apply(batch)).toMatchObject({
        ok: false,
        error: { code: "CHAIN_BROKEN", nothingWritten: null },
        outcome: { status: "pending" },
      });
    } finally {
      restore();
    }
    await ring(workspaceId);
    expect(await apply(batch)).toMatchObject({ ok: true, outcome: { status: "applied" } });
    expect(typesOf(await chainOf(workspaceId))).toEqual(["patch_requested", "patch_applied"]);
    expect((await linesOf(workspaceId)).filter((line) => line === "// unchained")).toHaveLength(1);
  });

  it.each([
    ["in an unknown form", () => Response.json({ hello: "world" })],
    [
      "with an error of its own",
      () =>
        Response.json(
          {
            type: "about:blank",
            title: "INTERNAL",
            status: 500,
            ok: false,
            code: "INTERNAL",
            error: { code: "INTERNAL", message: "broken", retryable: false, nothingWritten: null },
          },
          { status: 500 },
        ),
    ],
  ])("answers one batch %s for ever: the batch is given up, and those behind it land", async (_, answer) => {
    const workspaceId = await aWorkspace();
    const restore = answersOf(workspaceId, "lost poison", answer);
    const poison = aLine(workspaceId, 3, "lost poison", {
      patches: [{ op: "replace-block", file: "src/index.ts", start: 900, end: 900, block: "// lost poison\n" }],
    });
    try {
      expect(await apply(poison)).toMatchObject({ ok: false, outcome: { status: "pending" } });
      const behind = apply(aLine(workspaceId, 4, "behind"));
      for (let alarm = 0; alarm < 8; alarm += 1) await ring(workspaceId);
      await behind;
    } finally {
      restore();
    }
    expect(await linesOf(workspaceId)).toContain("// behind");
    const chain = await chainOf(workspaceId);
    expect(chain.filter((record) => record.batch_id === poison.batchId)).toMatchObject([
      { event_type: "patch_requested" },
      { event_type: "patch_failed", meta: { error: { nothingWritten: true } } },
    ]);
  });

  it("and had applied it is not given up: its log says so", async () => {
    const workspaceId = await aWorkspace();
    const restore = answersOf(workspaceId, "hidden", () => Response.json({ hello: "world" }));
    const batch = aLine(workspaceId, 3, "hidden");
    try {
      await apply(batch);
      for (let alarm = 0; alarm < 8; alarm += 1) await ring(workspaceId);
    } finally {
      restore();
    }
    expect(await apply(batch)).toMatchObject({ ok: true, outcome: { status: "applied" } });
    expect(typesOf(await chainOf(workspaceId))).toEqual(["patch_requested", "patch_applied"]);
  });

  it("or whose intent cannot be read any more: the batch is given up", async () => {
    const workspaceId = await aWorkspace();
    const batch = aLine(workspaceId, 3, "unreadable");
    const restore = answersOf(workspaceId, "unreadable", () => Response.json({ hello: "world" }));
    try {
      await inside(workspaceId, (_instance, state) => {
        state.storage.sql.exec(
          "INSERT INTO intents (batch_id, kind, payload_hash, actor, state) VALUES (?, 'batch', 'x', 'a', 'queued')",
          batch.batchId,
        );
      });
      for (let alarm = 0; alarm < 8; alarm += 1) await ring(workspaceId);
    } finally {
      restore();
    }
    expect(await apply(aLine(workspaceId, 4, "after"))).toMatchObject({ ok: true });
  });
});

describe("a report that lies", () => {
  it("of entries that the workspace's engine does not hold is refused, and the workspace goes on", async () => {
    const workspaceId = await aWorkspace();
    value(await apply(aLine(workspaceId, 1, "one")));
    const first = await entryOf(workspaceId, 1);
    const lie = forged(first, { seq: 2, prevHash: first.hash, batchId: mint("forged"), treeBefore: first.treeAfter });
    expect(await recordEvents(context(), { workspaceId, events: [logged(lie)], entries: [lie] })).toMatchObject({
      ok: false,
      error: { code: "CHAIN_BROKEN" },
    });
    expect(await apply(aLine(workspaceId, 2, "two"))).toMatchObject({ ok: true, outcome: { head: { seq: 2 } } });
  });

  it("and is true is read from the engine, once", async () => {
    const workspaceId = await aWorkspace();
    await patchctl(workspaceId, "append", "--file", "README.md", "--block", "beside");
    const { entries } = JSON.parse((await patchctl(workspaceId, "log", "--json")).stdout);
    const report = { workspaceId, events: entries.map(logged), entries };
    expect(await recordEvents(context(), report)).toMatchObject({ ok: true });
    expect(await recordEvents(context(), report)).toMatchObject({ ok: true, recorded: 0 });
    expect(typesOf(await chainOf(workspaceId))).toEqual(["patch_applied"]);
  });

  it("of a workspace nobody has opened is not carried out when it is opened, and names its reporter", async () => {
    const from = await aWorkspace();
    value(await apply(aLine(from, 1, "planted")));
    const lie = forged(await entryOf(from, 1), { actor: "token:administrator" });
    const workspaceId = mint("ws");
    const reporter = context(factoryActor("reporter"));
    value(await recordEvents(reporter, { workspaceId, events: [logged(lie)], entries: [lie] }));
    expect(await chainOf(workspaceId)).toMatchObject([{ actor: "factory:reporter" }]);
    const opened = await openWorkspace(context(), {
      workspaceId,
      source: { kind: "path", path: inject("engine").source },
    });
    expect(opened).toMatchObject({ ok: false, error: { code: "CHAIN_BROKEN" } });
    expect(await linesOf(workspaceId)).not.toContain("// planted");
  });

  it("without an entry is marked as external, and cannot contradict what an engine did", async () => {
    const workspaceId = await aWorkspace();
    const batch = aLine(workspaceId, 1, "done");
    value(await apply(batch));
    const patch_id = `${batch.batchId}.p1`;
    const lie = { patch_id, file: "src/index.ts", op: "replace-block" };
    for (const event_type of ["patch_reverted", "patch_validated", "patch_failed"] as const) {
      expect(await recordEvents(context(), { workspaceId, events: [{ ...lie, event_type }] })).toMatchObject({
        ok: false,
        error: { code: "CONFLICT" },
      });
    }
    const other = { ...lie, patch_id: mint("p"), meta: { external: false, requester: "me" } };
    expect(await recordEvents(context(), { workspaceId, events: [lie, other] })).toEqual({
      ok: true,
      recorded: 1,
      known: 1,
    });
    expect((await chainOf(workspaceId)).at(-1)).toMatchObject({ meta: { external: true }, log: null });
  });

  it("speaks for a requester that is not the caller's is refused", async () => {
    const workspaceId = mint("alone");
    const caller = context({ ...factoryActor("f"), requesters: ["me"] });
    const event = { patch_id: "p", file: "a.ts", op: "append", meta: { requester: "you" } };
    expect(await recordEvents(caller, { workspaceId, events: [event] })).toMatchObject({
      ok: false,
      error: { code: "FORBIDDEN" },
    });
  });

  it("names no time is refused", async () => {
    const event = { patch_id: "p", file: "a.ts", op: "append", ts: "yesterday" };
    expect(await recordEvents(context(), { workspaceId: mint("alone"), events: [event] })).toMatchObject({
      ok: false,
      error: { code: "VALIDATION_FAILED" },
    });
  });
});

describe("texts that a database could cut", () => {
  it("come back from D1 as they are in the chain", async () => {
    const workspaceId = await aWorkspace();
    await apply({ workspaceId, patches: [{ op: "append", file: "a\u0000b.ts", block: "x" }] });
    await apply({ workspaceId, reason: "a\u0000b", patches: [{ op: "append", file: "b.ts", block: "x" }] });
    await ring(workspaceId);
    expect(await verifyChain(context(), { workspaceId })).toMatchObject({ ok: true, delivered: 4 });
  });
});

describe("a sink in the middle of a delivery", () => {
  type Where = "before it lands" | "after it landed";

  /** Runs `work` while deliveries of this workspace to one sink never answer: the promise tells that one stands there. */
  async function whileHanging<T>(
    sink: "DB_OPS" | "EVENT_HUB",
    where: Where,
    workspaceId: string,
    work: (reached: () => Promise<void>) => Promise<T>,
  ): Promise<T> {
    // A flag and not a promise: one that another object's context settles does not wake this one reliably.
    const at = { hang: false };
    const reached = async (): Promise<void> => {
      while (!at.hang) await new Promise((resolve) => setTimeout(resolve, 0));
    };
    const hang = async <R>(land: () => Promise<R>): Promise<R> => {
      if (where === "after it landed") await land();
      at.hang = true;
      return new Promise<R>(() => undefined);
    };
    const bindings = await inside(workspaceId, (instance) => Reflect.get(instance, "env") as Env);
    const { DB_OPS, EVENT_HUB } = bindings;
    const hanging = {
      DB_OPS: {
        prepare: (query: string) => DB_OPS.prepare(query),
        batch: (statements: D1PreparedStatement[]) => hang(() => DB_OPS.batch(statements)),
      },
      EVENT_HUB: {
        getByName: (room: string) => ({
          deliver: (batch: never) => hang(() => roomOf(EVENT_HUB, room).deliver(batch)),
        }),
      },
    };
    Object.defineProperty(bindings, sink, { value: hanging[sink], configurable: true, writable: true });
    try {
      return await work(reached);
    } finally {
      Object.defineProperty(bindings, sink, {
        value: { DB_OPS, EVENT_HUB }[sink],
        configurable: true,
        writable: true,
      });
    }
  }
  const roomOf = (hub: Env["EVENT_HUB"], room: string) =>
    hub.getByName(room) as unknown as { deliver(batch: never): Promise<unknown> };

  async function expectEachOnce(workspaceId: string): Promise<void> {
    await ring(workspaceId);
    const chain = await chainOf(workspaceId);
    const stored = await rows("SELECT seq, hash FROM patch_custody WHERE workspace_id = ? ORDER BY seq", workspaceId);
    expect(stored).toEqual(chain.map(({ seq, hash }) => ({ seq, hash })));
    expect(await hubSeqsOf(workspaceId)).toEqual(chain.map(({ seq }) => seq));
    const counted = await rows("SELECT patches, applied FROM patch_order_days WHERE order_id = ?", ORDER);
    expect(counted).toEqual([{ patches: 1, applied: 1 }]);
  }
  let ORDER = "";

  it.each([
    ["DB_OPS", "before it lands"],
    ["DB_OPS", "after it landed"],
    ["EVENT_HUB", "before it lands"],
    ["EVENT_HUB", "after it landed"],
  ] as const)("whose object is killed at %s %s has each event once", async (sink, where) => {
    const workspaceId = await aWorkspace();
    ORDER = mint("ORD");
    await whileHanging(sink, where, workspaceId, async (reached) => {
      expect(await apply(aLine(workspaceId, 3, "killed", { orderId: ORDER }))).toMatchObject({ ok: true });
      await reached();
      await abort(workspaceId);
    });
    await expectEachOnce(workspaceId);
  });

  it("that never answers counts as failed after its deadline, and the alarm is not held up", async () => {
    const workspaceId = await aWorkspace();
    ORDER = mint("ORD");
    await whileHanging("DB_OPS", "before it lands", workspaceId, async () => {
      await inside(workspaceId, (instance) => {
        instance.limits.delivery = 20;
      });
      expect(await apply(aLine(workspaceId, 3, "hung", { orderId: ORDER }))).toMatchObject({ ok: true });
      await ring(workspaceId);
      expect(await hubSeqsOf(workspaceId)).toEqual([1, 2]);
    });
    await expectEachOnce(workspaceId);
  });
});

describe("an order's own workspace", () => {
  it("has its order in every event, whoever edited and whether or not it was named", async () => {
    const orderId = mint("ORD");
    const workspaceId = await aWorkspace(`order:${orderId}`);
    expect(await patchctl(workspaceId, "append", "--file", "README.md", "--block", "beside")).toMatchObject({
      code: 0,
    });
    value(await apply(aLine(workspaceId, 3, "ours")));
    await ring(workspaceId);
    expect((await chainOf(workspaceId)).map((record) => record.order_id)).toEqual([orderId, orderId, orderId]);
    expect(await hubSeqsOf(workspaceId, `order:${orderId}`)).toEqual([1, 2, 3]);
  });
});

describe("a revert of what the database does not hold yet", () => {
  it("says how to name where to look", async () => {
    const target = { by: "patch" as const, id: mint("p") };
    expect(await revertPatches(context(), { target })).toMatchObject({
      ok: false,
      error: { code: "PATCH_NOT_FOUND", message: expect.stringContaining("workspaceId or orderId") },
    });
  });
});

describe("orders that lead to each other", () => {
  it("are refused", async () => {
    const [one, two] = [mint("ORD"), mint("ORD")];
    expect(await setOrderAlias(context(), { orderId: one, workspaceId: `order:${two}` })).toEqual({ ok: true });
    expect(await setOrderAlias(context(), { orderId: two, workspaceId: `order:${one}` })).toMatchObject({
      ok: false,
      error: { code: "CONFLICT" },
    });
  });
});
