import { batchesOf, orderFor, phaseOf } from "@shared/worker-kit/testing";
import { expect, test } from "vitest";
import { factory, orchestrator } from "./harness.ts";

test("fulfils a phase under its own name, at the template's marker", async () => {
  await orchestrator.begin({
    order: orderFor("ui-factory"),
    files: {
      "src/page.ts": "const sections = [\n  // ###FINAL_MILE_PROMPT__SECTIONS###\n  // ###END_SECTIONS###\n];\n",
    },
  });
  const result = await factory.fulfilPhase(phaseOf({ "src/page.ts": "  hero,\n" }));

  expect(result).toMatchObject({ ok: true, outcome: { status: "applied" } });
  const calls = await orchestrator.calls();
  expect(new Set(calls.map(({ caller }) => caller))).toEqual(new Set(["ui-factory"]));
  expect(batchesOf(calls)).toMatchObject([
    { requester: "ui-factory", patches: [{ op: "replace-marker", marker: "SECTIONS", block: "  hero,\n" }] },
  ]);
});

test("leaves another factory's order alone", async () => {
  await orchestrator.begin({ order: orderFor("agent-factory") });
  expect(await factory.fulfilPhase(phaseOf({ "a.ts": "" }))).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
});
