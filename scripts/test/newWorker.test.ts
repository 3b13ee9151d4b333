import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusalOf, writeWorker } from "../newWorker.ts";
import { listWorkers } from "../repository.ts";
import { syncWrangler } from "../syncWrangler.ts";

describe("new:worker", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "new-worker-"));
    mkdirSync(path.join(root, "orchestrator"));
    writeFileSync(
      path.join(root, "wrangler.base.jsonc"),
      '{ "worker": { "compatibility_date": "2026-10-30" }, "factory": { "services": [] } }',
    );
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("makes a Worker that the other scripts find, and that then has what Workers share", () => {
    writeWorker("core-tea-api", root);
    syncWrangler({ check: false, root });
    expect(listWorkers(root).map(({ name, config }) => [name, config.compatibility_date])).toEqual([
      ["core-tea-api", "2026-10-30"],
    ]);
  });

  test.each([
    ["", /^Usage/],
    ["Core API", /kebab-case/],
    ["../escape", /kebab-case/],
    ["tea-factory", /FACTORIES/],
  ])("refuses the name %j with the way on", (name, reason) => {
    expect(refusalOf(name, root)).toMatch(reason);
  });

  test("never writes over a Worker that exists", () => {
    writeWorker("core-tea-api", root);
    expect(refusalOf("core-tea-api", root)).toBe("apps/core-tea-api exists.");
    expect(refusalOf("core-milk-api", root)).toBe(null);
  });
});
