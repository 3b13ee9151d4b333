import { expect, it } from "vitest";
import { apply, aWorkspace } from "./workspaceHarness.ts";

it("a refusal of ten thousand patches, each with all that could be shown of it, is still an answer", async () => {
  const workspaceId = await aWorkspace();
  const text = `// ${"x".repeat(230)}`;
  const made = { op: "create-file" as const, file: "long.ts", block: `// first\n${`${text}\n`.repeat(200)}` };
  expect(await apply({ workspaceId, patches: [made] })).toMatchObject({ ok: true });
  const stale = { op: "replace-block" as const, file: "long.ts", start: 1, end: 1, expect: { text }, block: "" };
  const answer = await apply({ workspaceId, patches: Array.from({ length: 10_000 }, () => stale) });
  expect(answer).toMatchObject({ ok: false, error: { nothingWritten: true } });
  expect(answer.outcome?.patches).toHaveLength(10_000);
  expect(answer.outcome?.patches[0]?.error?.context?.lines.length).toBeGreaterThan(0);
  expect(
    answer.outcome?.patches.every(
      (patch) => patch.error?.code === "AMBIGUOUS_LOCATION" || patch.error?.code === "STALE_CONTENT",
    ),
  ).toBe(true);
}, 60_000);
