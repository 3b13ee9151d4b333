import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FACTORIES, PolicyFileSchema } from "@shared/contracts";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../../../..");
const tsc = path.join(root, "node_modules/.bin/tsc");

const run = (program: string, args: string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  return { status, said: `${stdout}${stderr}` };
};

describe.each(FACTORIES)("the template of %s", (factory) => {
  const template = path.join(root, "apps", factory, "template");
  const policy = PolicyFileSchema.parse(
    JSON.parse(readFileSync(path.join(template, ".mission_control/policy.json"), "utf8")),
  );
  const check = (cwd: string) => {
    const [, ...args] = policy.check ?? [];
    return run(process.execPath, args, cwd);
  };

  test("is a Worker that typechecks by itself", () => {
    expect(run(tsc, ["-p", template], template)).toEqual({ status: 0, said: "" });
  });

  test("passes its own check with nothing installed, and fails it when a source is broken", () => {
    const copy = mkdtempSync(path.join(tmpdir(), "template-"));
    try {
      cpSync(template, copy, { recursive: true });
      expect(check(copy).status).toBe(0);

      writeFileSync(path.join(copy, "src/broken.ts"), "export const = 1;\n");
      const broken = check(copy);
      expect(broken.status).toBe(1);
      expect(broken.said).toContain("src/broken.ts");
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  test("has markers for generated code, each of them closed", () => {
    const names = readdirSync(path.join(template, "src"), { encoding: "utf8" });
    const source = names.map((name) => readFileSync(path.join(template, "src", name), "utf8")).join("\n");
    const opened = [...source.matchAll(/###FINAL_MILE_PROMPT__([A-Z0-9_]+)###/g)].map(([, name]) => name);
    const closed = [...source.matchAll(/###END_([A-Z0-9_]+)###/g)].map(([, name]) => name);
    expect(opened.length).toBeGreaterThan(0);
    expect(closed).toEqual(opened);
  });
});
