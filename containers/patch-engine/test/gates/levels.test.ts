import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  CheckOutcomeSchema,
  GateLevelSchema,
  type CheckOutcome,
  type GateLevel,
  type TasksFile,
} from "@shared/contracts";
import { apply, makeRoot, open, tree, write } from "../engine/tempWorkspace.ts";
import { HARMED_FILES, HARMS, type Harm } from "./harms.ts";

const LEVELS = GateLevelSchema.options;
const DOORS = ["host", "patchctl"] as const;
const PATCHCTL = fileURLToPath(new URL("../../cli/patchctl.cjs", import.meta.url));

const Simulated = z.object({ ok: z.boolean(), outcome: z.object({ checks: z.array(CheckOutcomeSchema) }) });

const workspace = (harm: Harm, level: GateLevel | undefined): string => {
  const gates = level === undefined ? {} : { [harm.gate]: level };
  const policy = JSON.stringify({ ...harm.policy, gates });
  return makeRoot({ ...HARMED_FILES, ".git/HEAD": "ref: refs/heads/main\n", ".mission_control/policy.json": policy });
};

/** What a gate makes of its harm at a level. */
function expected(level: GateLevel) {
  if (level === "off") return { ok: true, check: { level, ok: null, findings: [] } };
  return { ok: level === "warn", check: { level, ok: false } };
}

const verdict = (ok: boolean, checks: readonly CheckOutcome[] | undefined, gate: string) => ({
  ok,
  check: checks?.find(({ name }) => name === gate),
});

/** What holds of a gate where neither policy nor request speak of it. */
const byDefault = ({ gate }: Harm): GateLevel => (gate === "types" ? "off" : "fail");

describe.each(HARMS)("the $gate gate", (harm) => {
  it.each(DOORS.flatMap((door) => LEVELS.map((level) => [door, level] as const)))(
    "through the engine's %s door follows a policy of %s",
    async (door, level) => {
      const root = workspace(harm, level);
      const engine = await open(root);
      const before = tree(root);
      const answer = await engine.apply({ batch: { patches: harm.patches }, door });
      expect(verdict(answer.ok, answer.outcome?.checks, harm.gate)).toMatchObject(expected(level));
      if (level !== "fail") return;
      expect(answer.error?.code).toBe(harm.code);
      expect(tree(root)).toEqual(before);
    },
  );

  it.each(LEVELS)("through patchctl follows a policy of %s, with an exit code of its own", async (level) => {
    const root = workspace(harm, level);
    const before = tree(root);
    const ran = await patchctl(root, { patches: harm.patches });
    expect(verdict(ran.answer.ok, ran.answer.outcome.checks, harm.gate)).toMatchObject(expected(level));
    expect(ran.exit).toBe(level === "fail" ? 4 : 0);
    if (level === "fail") expect(tree(root)).toEqual(before);
  });

  it.each(LEVELS)("through patchctl follows a request for %s no lower than what holds without it", async (level) => {
    const root = workspace(harm, undefined);
    const ran = await patchctl(root, { patches: harm.patches, gates: { [harm.gate]: level } });
    const holds = byDefault(harm) === "fail" ? "fail" : level;
    expect(verdict(ran.answer.ok, ran.answer.outcome.checks, harm.gate)).toMatchObject(expected(holds));
  });

  it("through an agent's tools follows the policy as it is at each call", async () => {
    const root = workspace(harm, undefined);
    const client = new Client({ name: "an-agent", version: "1.0.0" });
    onTestFinished(() => client.close());
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [PATCHCTL, "mcp", "--root", root],
        stderr: "ignore",
      }),
    );
    for (const level of ["fail", "warn", "off"] as const) {
      write(root, ".mission_control/policy.json", JSON.stringify({ ...harm.policy, gates: { [harm.gate]: level } }));
      const result = await client.callTool({ name: "simulate", arguments: { patches: harm.patches } });
      const { ok, outcome } = Simulated.parse(result.structuredContent);
      expect(verdict(ok, outcome.checks, harm.gate)).toMatchObject(expected(level));
    }
  });

  it.each(LEVELS.flatMap((policy) => LEVELS.map((request) => [policy, request] as const)))(
    "under a policy of %s and a request for %s holds the stricter",
    async (policy, request) => {
      const engine = await open(workspace(harm, policy));
      const answer = await apply(engine, { patches: harm.patches, gates: { [harm.gate]: request } });
      const stricter = LEVELS[Math.max(LEVELS.indexOf(policy), LEVELS.indexOf(request))] ?? "fail";
      expect(verdict(answer.ok, answer.outcome?.checks, harm.gate)).toMatchObject(expected(stricter));
    },
  );

  it("is the only one that objects to its harm", async () => {
    const engine = await open(workspace(harm, "fail"));
    const answer = await apply(engine, { patches: harm.patches });
    expect(answer.outcome?.checks.filter(({ ok }) => ok === false).map(({ name }) => name)).toEqual([harm.gate]);
  });
});

describe("task scope", () => {
  const tasks: TasksFile = {
    version: 1,
    orderId: "ORD-1",
    tasks: [{ id: "T1", type: "fix", status: "open", allowed: [{ files: "code.py" }] }],
  };
  const outside = { patches: [{ op: "append", file: "ten.txt", block: "x", taskId: "T1" }] };
  const root = () =>
    makeRoot({ ...HARMED_FILES, ".git/HEAD": "", ".mission_control/tasks.json": JSON.stringify(tasks) });

  it.each(DOORS)("holds at the engine's %s door with every other gate off", async (door) => {
    const at = root();
    const gates = Object.fromEntries(HARMS.map(({ gate }) => [gate, "off"]));
    write(at, ".mission_control/policy.json", JSON.stringify({ gates }));
    const engine = await open(at);
    const answer = await engine.apply({ batch: { ...outside, gates, check: "none" }, door });
    expect(answer.error?.code).toBe("TASK_SCOPE_VIOLATION");
  });

  it.each(LEVELS)("has no level that a policy or a request could name: %s", async (level) => {
    const at = root();
    const asked = await patchctl(at, { ...outside, gates: { taskScope: level } });
    expect(asked.answer.error?.code).toBe("VALIDATION_FAILED");
    write(at, ".mission_control/policy.json", JSON.stringify({ gates: { taskScope: level } }));
    const ruled = await patchctl(at, outside);
    expect(ruled.answer.error).toMatchObject({ code: "VALIDATION_FAILED" });
    expect(readFileSync(`${at}/ten.txt`, "utf8")).toBe(HARMED_FILES["ten.txt"]);
  });
});

interface Answered {
  exit: number;
  answer: { ok: boolean; error?: { code: string }; outcome: { checks: CheckOutcome[] } };
}

/** Sends a batch as a shell would. */
function patchctl(cwd: string, batch: object): Promise<Answered> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PATCHCTL, "apply", "-"], { cwd, env }, (_error, stdout) =>
      resolve({ exit: child.exitCode ?? -1, answer: JSON.parse(stdout) as Answered["answer"] }),
    );
    child.stdin?.end(JSON.stringify(batch));
  });
}
