import { afterEach, describe, expect, it } from "vitest";
import {
  aCase,
  agentEnv,
  attemptsOf,
  type Case,
  changedLines,
  type Cut,
  diffOf,
  executionOf,
  Journal,
  lose,
  runsOf,
  type Scripts,
} from "./executionHarness.ts";
import { abort, chainOf, rows } from "./workspaceHarness.ts";

const good = { class: "change" as const, diff: diffOf(3, "export const v2 = 22;") };
const broken = { class: "change" as const, diff: diffOf(3, "export const v2 = (;") };

interface Scenario {
  name: string;
  scripts: Scripts;
  race?: ("codex" | "claude")[];
  ends: "completed" | "failed";
}
const SCENARIOS: Scenario[] = [
  { name: "one that is applied", scripts: { codex: [good] }, ends: "completed" },
  {
    name: "one that is corrected, after another failed",
    scripts: { codex: [{ class: "quota" }], claude: [broken, good] },
    ends: "completed",
  },
  {
    name: "one that fails",
    scripts: { codex: [{ class: "auth" }], claude: [{ class: "empty-diff" }] },
    ends: "failed",
  },
  { name: "a race", scripts: { codex: [good], claude: [broken] }, race: ["codex", "claude"], ends: "completed" },
];

const made = (scenario: Scenario): Promise<Case> =>
  aCase(scenario.scripts, { chain: ["codex", "claude"], ...(scenario.race ? { race: scenario.race } : {}) });

/** What holds of every execution that is over, whatever happened on the way. */
async function expectWhole(over: Case, ends: "completed" | "failed"): Promise<void> {
  const execution = await executionOf(over);
  const attempts = await attemptsOf(over);
  const applied = attempts.filter(({ class: how }) => how === "applied");
  const story = JSON.stringify({ execution, attempts });
  expect(execution.status, story).toBe(ends);
  expect(applied, story).toHaveLength(ends === "completed" ? 1 : 0);
  expect(
    attempts.every(({ status, class: how }) => status === "ended" && how !== null),
    story,
  ).toBe(true);
  // One batch stands, or none and a reason is on record.
  expect(await changedLines(over), story).toHaveLength(ends === "completed" ? 1 : 0);
  if (ends === "failed") expect(execution.error, story).not.toBeNull();
  const events = (await chainOf(over.workspaceId)).filter(({ event_type }) => event_type === "patch_applied");
  expect(events, story).toHaveLength(ends === "completed" ? 1 : 0);
  // One record, each place and budget given back, each attempt's agent started once at most.
  expect(await rows("SELECT 1 FROM ai_provider_executions WHERE task_uuid = ?", over.taskId)).toHaveLength(1);
  expect([...over.state.settled.keys()].toSorted()).toEqual([...over.state.reserved.keys()].toSorted());
  for (const settlements of over.state.settled.values()) {
    expect(new Set(settlements.map(({ class: how, costUsd }) => `${how} ${costUsd}`)).size).toBe(1);
  }
  const runs = await runsOf(over);
  expect(
    runs.every(({ starts, state }) => starts === 1 && state === "ended"),
    JSON.stringify(runs),
  ).toBe(true);
  expect(new Set(runs.map(({ runId }) => runId)).size).toBe(runs.length);
}

/** The steps of a scenario that nothing disturbs. */
async function stepsOf(scenario: Scenario): Promise<string[]> {
  const journal = new Journal();
  const undisturbed = await made(scenario);
  expect(await journal.run(undisturbed)).toBe(scenario.ends);
  await expectWhole(undisturbed, scenario.ends);
  return journal.begun;
}

describe.each(SCENARIOS)("$name", (scenario) => {
  it("and is cut at any of its steps: it ends the same, each agent started once", async () => {
    for (const step of await stepsOf(scenario)) {
      // Before a step is after the one before it, but for what a step in between kept.
      for (const when of scenario === SCENARIOS[0] ? (["before", "after"] as const) : (["after"] as const)) {
        const over = await made(scenario);
        const journal = new Journal();
        const cut: Cut = { step, when };
        expect(await journal.run(over, cut), JSON.stringify(cut)).toBe("cut");
        expect(await journal.run(over), JSON.stringify(cut)).toBe(scenario.ends);
        await expectWhole(over, scenario.ends);
      }
    }
  });

  it("and is cut at every one of its steps, one after the other", async () => {
    const over = await made(scenario);
    const journal = new Journal();
    for (const step of await stepsOf(scenario)) await journal.run(over, { step, when: "after" });
    await journal.run(over);
    await expectWhole(over, scenario.ends);
  });

  it("and begins anew from nothing at any of its steps: its records say what was done", async () => {
    for (const step of await stepsOf(scenario)) {
      const over = await made(scenario);
      expect(await new Journal().run(over, { step, when: "after" })).toBe("cut");
      await new Journal().run(over);
      await expectWhole(over, scenario.ends);
    }
  });
});

describe("an execution whose", () => {
  const TABLES = ["ai_provider_executions", "ai_provider_attempts", "ai_execution_output"];
  const rename = async (from: string, to: string): Promise<void> => {
    for (const table of TABLES) {
      await agentEnv.DB_OPS.exec(`ALTER TABLE ${table}${from} RENAME TO ${table}${to}`);
    }
  };
  let isAway = false;
  const away = async (): Promise<void> => {
    isAway = true;
    await rename("", "_away");
  };
  const back = async (): Promise<void> => {
    if (!isAway) return;
    isAway = false;
    await rename("_away", "");
  };
  afterEach(back);
  const [applied] = SCENARIOS as [Scenario];

  it("database goes away at any of its steps for a while goes on when it is back", async () => {
    for (const name of await stepsOf(applied)) {
      const over = await made(applied);
      const journal = new Journal();
      journal.onTry = async (step, attempt) => {
        if (step === name && attempt === 1) await away();
        else await back();
      };
      expect(await journal.run(over), name).toBe("completed");
      await back();
      await expectWhole(over, "completed");
    }
  });

  it("workspace's object is killed at any of its steps goes on", async () => {
    for (const name of await stepsOf(applied)) {
      const over = await made(applied);
      const journal = new Journal();
      journal.onTry = async (step, attempt) => {
        if (step === name && attempt === 1) await abort(over.workspaceId);
      };
      expect(await journal.run(over), name).toBe("completed");
      await expectWhole(over, "completed");
    }
  });

  it("host loses the run at any of its steps is applied by another attempt, or by what was collected", async () => {
    for (const name of await stepsOf(applied)) {
      const over = await made(applied);
      const journal = new Journal();
      journal.onTry = async (step, attempt) => {
        if (step === name && attempt === 1) await lose(`${over.executionId}.1`);
      };
      expect(await journal.run(over), name).toBe("completed");
      await expectWhole(over, "completed");
    }
  });
});
