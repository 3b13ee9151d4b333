import { batchesOf, orderFor, phaseOf } from "@shared/worker-kit/testing";
import { expect, test } from "vitest";
import { factory, orchestrator } from "./harness.ts";

test("fulfils a phase under its own name, at the template's marker", async () => {
  await orchestrator.begin({
    order: orderFor("data-factory"),
    files: { "src/queries.ts": "// ###FINAL_MILE_PROMPT__QUERIES###\n// ###END_QUERIES###\n" },
  });
  const result = await factory.fulfilPhase(phaseOf({ "src/queries.ts": "export const count = 1;\n" }));

  expect(result).toMatchObject({ ok: true, outcome: { status: "applied" } });
  const calls = await orchestrator.calls();
  expect(new Set(calls.map(({ caller }) => caller))).toEqual(new Set(["data-factory"]));
  expect(batchesOf(calls)).toMatchObject([
    {
      requester: "data-factory",
      patches: [{ op: "replace-marker", marker: "QUERIES", block: "export const count = 1;\n" }],
    },
  ]);
});

test("leaves another factory's order alone", async () => {
  await orchestrator.begin({ order: orderFor("agent-factory") });
  expect(await factory.fulfilPhase(phaseOf({ "a.ts": "" }))).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
});

test("an existing migration is never edited, only added to", async () => {
  await orchestrator.begin({ order: orderFor("data-factory") });
  const patches = [{ op: "append" as const, file: "migrations/0001_items.sql", block: "DROP TABLE items;\n" }];
  expect(await factory.fulfilPhase({ orderId: "ORD-1", phase: "schema", patches })).toMatchObject({
    ok: false,
    error: { code: "PATH_FORBIDDEN", file: "migrations/0001_items.sql" },
  });
  expect(batchesOf(await orchestrator.calls())).toEqual([]);

  const added = { "migrations/0002_tags.sql": "CREATE TABLE tags (id INTEGER PRIMARY KEY) STRICT;\n" };
  expect(await factory.fulfilPhase(phaseOf(added))).toMatchObject({ ok: true });
});
