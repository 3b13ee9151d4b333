import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../repository.ts";

const directory = path.join(ROOT, ".github/workflows");
const workflows = readdirSync(directory).map(
  (name) => [name, readFileSync(path.join(directory, name), "utf8")] as const,
);
/** The steps of a workflow, each with the lines that are its own. */
const stepsOf = (text: string): string[] =>
  text
    .slice(text.indexOf("    steps:"))
    .split(/^ {6}- /m)
    .slice(1);

describe.each(workflows)("%s", (_, text) => {
  test("runs only actions that are pinned to a commit, with the version beside it", () => {
    const used = text.match(/uses: .*/g) ?? [];
    expect(used.length).toBeGreaterThan(0);
    for (const line of used) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("may read the repository and nothing else, and leaves no credential behind", () => {
    expect(text.match(/^permissions:\n(?: {2}.*\n)*/m)?.[0]).toBe("permissions:\n  contents: read\n");
    expect(text.match(/permissions:/g)).toHaveLength(1);
    const checkouts = stepsOf(text).filter((step) => step.includes("actions/checkout@"));
    expect(checkouts.length).toBeGreaterThan(0);
    for (const step of checkouts) expect(step).toContain("persist-credentials: false");
  });

  test("is not run by who has no right to push with what others wrote", () => {
    expect(text).not.toMatch(/pull_request_target|workflow_run|issue_comment/);
  });

  test("writes nothing that comes from outside into a shell, and ends", () => {
    for (const step of stepsOf(text)) {
      const script = /run: (?:\|\n)?([\s\S]*)/.exec(step)?.[1] ?? "";
      expect(script).not.toContain("${{");
    }
    expect(text).toMatch(/timeout-minutes: \d+/);
  });
});

test("secrets are given to the step that deploys, and to no other", () => {
  for (const [name, text] of workflows) {
    const [before] = text.split("    steps:");
    expect([name, before?.includes("secrets.")]).toEqual([name, false]);
    const holders = stepsOf(text).filter((step) => step.includes("secrets."));
    expect(holders.map((step) => step.split("\n")[0])).toEqual(name === "deploy.yml" ? ["name: Deploy"] : []);
  }
});

test("what a change must pass is one program, in CI as on a machine, and every Worker's upload is checked by it", () => {
  expect(workflows.find(([name]) => name === "ci.yml")?.[1]).toMatch(/^ {6}- run: \.ci\/run$/m);
  const program = readFileSync(path.join(ROOT, ".ci/run"), "utf8");
  for (const command of ["npm run problems", "npm test", "npm run deploy:check", "npm run test:browser"]) {
    expect(program).toMatch(new RegExp(`^check ${command}$`, "m"));
  }
});
