import { expect, test } from "vitest";
import { HELD_OUT } from "../../bench/router/heldOut.ts";
import { regretsOf } from "../../bench/router/simulate.ts";

// `pnpm bench:router` runs all of them, over more seeds.
test.each(["a new model wins", "everything at once"])(
  "over simulated months of “%s” the router loses at most half of what a fixed order does, and a third of what chance does",
  (name) => {
    const scenario = HELD_OUT.find((one) => one.name === name);
    if (!scenario) throw new Error("no such scenario");
    const regrets = regretsOf({ ...scenario, tasksPerDay: 12 }, ["of the test"]);
    expect(regrets.router).toBeGreaterThan(0);
    expect(regrets.router).toBeLessThanOrEqual(regrets["fixed order"] / 2);
    expect(regrets.router).toBeLessThanOrEqual(regrets.random / 3);
  },
);
