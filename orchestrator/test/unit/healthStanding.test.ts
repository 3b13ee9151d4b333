import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextRun } from "../../worker/services/health/runSchedules.ts";
import { FLAPPING, nextStanding, type Standing, type Turn, UNKNOWN } from "../../worker/services/health/standing.ts";

const AT = "2026-01-01T00:00:00.000Z";

function fold(outcomes: string, from: Standing = UNKNOWN): { standing: Standing; said: Turn[]; each: Standing[] } {
  let standing = from;
  const said: Turn[] = [];
  const each: Standing[] = [];
  for (const outcome of outcomes) {
    const { after, turns } = nextStanding(standing, { passed: outcome === "P", at: AT });
    standing = after;
    said.push(...turns);
    each.push(after);
  }
  return { standing, said, each };
}

describe("how a Worker stands", () => {
  test("one blip, and two in a row, are no alert and no outage", () => {
    const { standing, said, each } = fold("PPPFPPPFFPP");
    expect(said).toEqual([]);
    expect(each.every(({ status }) => status === "up")).toBe(true);
    expect(standing.status).toBe("up");
  });

  test("three failures in a row are down, said once; two passes are up again, said once", () => {
    expect(fold("PPFFF")).toMatchObject({ standing: { status: "down" }, said: ["down"] });
    expect(fold("PPFFFFFFFF").said).toEqual(["down"]);
    expect(fold("PPFFFP")).toMatchObject({ standing: { status: "down" }, said: ["down"] });
    expect(fold("PPFFFPPP")).toMatchObject({ standing: { status: "up" }, said: ["down", "up"] });
  });

  test("one that never was up is down after three, and up with its first pass without news", () => {
    expect(fold("FFF").said).toEqual(["down"]);
    expect(fold("FF").standing.status).toBe("unknown");
    expect(fold("P")).toMatchObject({ standing: { status: "up" }, said: [] });
  });

  test("one that fails and passes by turns is named as flapping, though it is never down", () => {
    const { standing, said } = fold("PPPFPFPFP");
    expect(said).toEqual(["flapping"]);
    expect(standing).toMatchObject({ status: "up", flapping: true });
  });

  test("flapping ends with six alike, and what it has settled to is said", () => {
    const flapping = fold("PPPFPFPFP").standing;
    expect(fold("PPPPPP", flapping)).toMatchObject({ standing: { flapping: false, status: "up" }, said: ["settled"] });
    // An outage is said at once, flapping or not, and not a second time when the flapping is over.
    expect(fold("FFFFFF", flapping)).toMatchObject({
      standing: { flapping: false, status: "down" },
      said: ["down", "settled"],
    });
  });

  test("whatever comes: down needs three failures in a row, up two passes, and nothing is said twice in a row", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("P", "F"), { maxLength: 200 }), (outcomes) => {
        const text = outcomes.join("");
        const { said, each } = fold(text);
        for (const [at, { status, recent }] of each.entries()) {
          expect(recent.length).toBeLessThanOrEqual(FLAPPING.window);
          const before = each[at - 1]?.status ?? "unknown";
          if (status === before) continue;
          const seen = text.slice(0, at + 1);
          if (status === "down") expect(seen.endsWith("FFF")).toBe(true);
          if (status === "up" && before === "down") expect(seen.endsWith("PP")).toBe(true);
        }
        const states = said.filter((turn) => turn === "down" || turn === "up");
        for (const [at, turn] of states.entries()) {
          if (turn === "up") expect(states[at - 1]).toBe("down");
        }
        const flaps = said.filter((turn) => turn === "flapping" || turn === "settled");
        for (const [at, turn] of flaps.entries()) expect(turn).toBe(at % 2 === 0 ? "flapping" : "settled");
      }),
    );
  });
});

describe("when a schedule runs next", () => {
  const minute = 60_000;
  test("keeps its pace, whatever second the minute's trigger comes at", () => {
    expect(nextRun(0, 5 * minute, 20_000)).toEqual({ next: 5 * minute, missed: 0 });
    expect(nextRun(0, minute, 0)).toEqual({ next: minute, missed: 0 });
  });
  test("counts the times no run came for, and does not make up for them", () => {
    expect(nextRun(0, 5 * minute, 17 * minute)).toEqual({ next: 20 * minute, missed: 3 });
  });
});
