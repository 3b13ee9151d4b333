import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../repository.ts";

/** Where an import or an access stands, its text, and whether the design allows it there. */
const cases: [file: string, source: string, allowed: boolean][] = [
  ["@shared/contracts/a.ts", 'export * from "@shared/worker-kit";', false],
  ["@shared/contracts/b.ts", 'export * from "zod";', true],
  ["@shared/worker-kit/a.ts", 'export * from "../../orchestrator/worker/app.ts";', false],
  ["@shared/worker-kit/b.ts", 'export * from "patch-engine";', false],
  ["@shared/worker-kit/c.ts", 'export * from "@shared/contracts";', true],
  ["@shared/client/a.ts", 'export * from "@shared/worker-kit";', false],
  ["containers/patch-engine/core/a.ts", 'export * from "node:fs";', false],
  ["containers/patch-engine/core/b.ts", 'export * from "../gates/syntax.ts";', false],
  ["containers/patch-engine/core/c.ts", 'export * from "node:crypto";', true],
  ["containers/patch-engine/gates/a.ts", 'export * from "../core/index.ts"; export * as fs from "node:fs";', true],
  ["containers/patch-engine/cli/a.ts", 'export * from "factory-base";', false],
  ["containers/factory-base/a.ts", 'export * from "patch-engine";', true],
  ["containers/factory-base/b.ts", 'export * from "../../apps/ui-factory/index.ts";', false],
  ["apps/ui-factory/a.ts", 'export * from "agent-factory";', false],
  ["apps/ui-factory/src/b.ts", 'export * from "../../agent-factory/index.ts";', false],
  ["apps/ui-factory/c.ts", 'export * from "orchestrator";', false],
  ["apps/ui-factory/d.ts", 'export * from "@shared/worker-kit";', true],
  ["orchestrator/worker/api/routes/a.ts", 'export * from "kysely";', false],
  ["orchestrator/worker/entrypoints/a.ts", 'export * from "../database/client.ts";', false],
  ["orchestrator/worker/app.ts", "export const ops = (env: { DB_OPS: string }) => env.DB_OPS;", false],
  ["orchestrator/worker/services/patch/a.ts", 'export * from "kysely";', true],
  ["orchestrator/worker/services/patch/b.ts", 'export * from "factory-base";', false],
];

describe("the linter holds the direction of imports", () => {
  let directory: string;
  let flagged: Set<string>;

  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), "import-rules-"));
    copyFileSync(path.join(ROOT, ".oxlintrc.json"), path.join(directory, ".oxlintrc.json"));
    for (const [file, source] of cases) {
      mkdirSync(path.join(directory, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(directory, file), `${source}\n`);
    }
    const run = spawnSync(path.join(ROOT, "node_modules/.bin/oxlint"), ["-f", "unix"], {
      cwd: directory,
      encoding: "utf8",
    });
    const lines = run.stdout.split("\n").filter((line) => /no-restricted-(imports|properties)/.test(line));
    flagged = new Set(lines.map((line) => line.split(":", 1)[0] ?? ""));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.each(cases)("%s with %s: allowed is %s", (file, _source, allowed) => {
    expect(flagged.has(file)).toBe(!allowed);
  });
});
