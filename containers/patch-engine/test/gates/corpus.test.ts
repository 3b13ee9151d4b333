import { describe, expect, it } from "vitest";
import { alarmRate, changesOf, GATES, recall, score, SETS, type Change } from "../../corpus/corpus.ts";
import { withCredentials } from "../../corpus/credentials.ts";

const ALL = new Map(GATES.map((gate) => [gate, changesOf(gate)]));
const changes = (gate: (typeof GATES)[number]): Change[] => ALL.get(gate) ?? [];
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

describe.each(GATES)("the corpus of the %s gate", (gate) => {
  it("holds at least 200 changes, half of them innocent, each under one name", () => {
    const harmful = changes(gate).filter((change) => change.harmful).length;
    const innocent = changes(gate).length - harmful;
    expect(changes(gate).length).toBeGreaterThanOrEqual(200);
    expect(Math.abs(harmful - innocent)).toBeLessThanOrEqual(changes(gate).length / 50);
    expect(new Set(changes(gate).map(({ name }) => name)).size).toBe(changes(gate).length);
  });

  it("shares no change between its tuned and its held-out set", () => {
    const keys = SETS.map(
      (set) =>
        new Set(
          changes(gate)
            .filter((change) => change.set === set)
            .map(({ file, place, block }) => JSON.stringify([file, place, block])),
        ),
    );
    expect(keys.map((one) => one.size > 0)).toEqual([true, true]);
    expect([...(keys[0] ?? [])].filter((key) => keys[1]?.has(key))).toEqual([]);
  });
});

describe.each(GATES)("the %s gate", (gate) => {
  it("finds at least 95 % of what is harmful and objects to at most 1 % of what is innocent", async () => {
    const lines: string[] = [];
    for (const [name, sets] of [...SETS.map((set) => [set, [set]] as const), ["whole", SETS] as const]) {
      const result = await score(
        gate,
        changes(gate).filter(({ set }) => sets.some((one) => one === set)),
      );
      const size = result.harmful + result.innocent;
      const figures = `recall ${percent(recall(result))} of ${result.harmful}, false alarms ${percent(alarmRate(result))} of ${result.innocent}`;
      lines.push(`${gate}, ${name} set of ${size} changes: ${figures}`);
      if (name === "held-out") continue;
      expect(recall(result), result.wrong.join("\n")).toBeGreaterThanOrEqual(0.95);
      expect(alarmRate(result), result.wrong.join("\n")).toBeLessThanOrEqual(0.01);
    }
    process.stdout.write(`${lines.join("\n")}\n`);
  });

  it("objects to at most 1 % of the other corpus, in which nothing is its affair", async () => {
    const others = GATES.filter((one) => one !== gate).flatMap(changes);
    const result = await score(gate, others);
    expect(result.harmful).toBe(0);
    expect(alarmRate(result), result.wrong.join("\n")).toBeLessThanOrEqual(0.01);
  });
});

describe("a credential of the corpus", () => {
  it("is made of its format and its place, the same at every run", () => {
    const once = withCredentials("{{github-token}} {{github-token}}", "a");
    expect(once).toMatch(/^ghp_[A-Za-z0-9]{36} ghp_[A-Za-z0-9]{36}$/u);
    expect(new Set(once.split(" ")).size).toBe(2);
    expect(withCredentials("{{github-token}} {{github-token}}", "a")).toBe(once);
    expect(withCredentials("{{github-token}}", "b")).not.toBe(once.slice(0, 40));
  });

  it("is not made of what only looks like a name", () => {
    expect(withCredentials("{{ secrets.NPM_TOKEN }} {{nothing-known}}", "a")).toBe(
      "{{ secrets.NPM_TOKEN }} {{nothing-known}}",
    );
  });
});
