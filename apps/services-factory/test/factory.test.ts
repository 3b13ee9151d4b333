import { batchesOf, orderFor, phaseOf } from "@shared/worker-kit/testing";
import { expect, test } from "vitest";
import { factory, orchestrator } from "./harness.ts";

test("fulfils a phase under its own name, at the template's marker", async () => {
  await orchestrator.begin({
    order: orderFor("services-factory"),
    files: { "src/verbs.ts": "// ###FINAL_MILE_PROMPT__VERBS###\n// ###END_VERBS###\n" },
  });
  const result = await factory.fulfilPhase(phaseOf({ "src/verbs.ts": "export const ping = () => 1;\n" }));

  expect(result).toMatchObject({ ok: true, outcome: { status: "applied" } });
  const calls = await orchestrator.calls();
  expect(new Set(calls.map(({ caller }) => caller))).toEqual(new Set(["services-factory"]));
  expect(batchesOf(calls)).toMatchObject([
    {
      requester: "services-factory",
      patches: [{ op: "replace-marker", marker: "VERBS", block: "export const ping = () => 1;\n" }],
    },
  ]);
});

test("leaves another factory's order alone", async () => {
  await orchestrator.begin({ order: orderFor("agent-factory") });
  expect(await factory.fulfilPhase(phaseOf({ "a.ts": "" }))).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
});
