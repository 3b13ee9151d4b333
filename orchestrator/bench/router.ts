import { HELD_OUT } from "./router/heldOut.ts";
import type { Scenario } from "./router/scenario.ts";
import { type Regrets, regretsOf } from "./router/simulate.ts";
import { TUNING } from "./router/tuning.ts";

/**
 * `pnpm bench:router`: what the router's choices lose against an oracle over simulated months, beside a fixed order and
 * chance. Rules, breakers, evidence, sampling and score are the router's own; the world is made up. Prints the tables of
 * docs/benchmarks.md. `--tuning` leaves the held-out scenarios alone.
 */

const SEEDS = ["1", "2", "3", "4", "5"];
const REACH = { "fixed order": 1 / 2, random: 1 / 3 } as const;
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const lost = (regret: number): string => regret.toFixed(4);
const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;

const rowOf = (name: string, regrets: Regrets): string => {
  const { router, random } = regrets;
  const fixed = regrets["fixed order"];
  return `| ${name} | ${lost(router)} | ${lost(fixed)} | ${lost(random)} | ${lost(regrets["registry only"])} | ${lost(regrets["best single"])} | ${share(router, fixed)} | ${share(router, random)} |`;
};

function table(title: string, scenarios: readonly Scenario[]): Regrets {
  say(`\n### ${title}\n`);
  say(
    "| scenario | router | fixed order | random | the score without outcomes | best single, in hindsight | of fixed order's | of random's |",
  );
  say("| --- | --- | --- | --- | --- | --- | --- | --- |");
  const mean: Regrets = { router: 0, "registry only": 0, "fixed order": 0, random: 0, "best single": 0 };
  for (const scenario of scenarios) {
    const regrets = regretsOf(scenario, SEEDS);
    say(rowOf(scenario.name, regrets));
    mean.router += regrets.router / scenarios.length;
    mean["registry only"] += regrets["registry only"] / scenarios.length;
    mean["fixed order"] += regrets["fixed order"] / scenarios.length;
    mean.random += regrets.random / scenarios.length;
    mean["best single"] += regrets["best single"] / scenarios.length;
  }
  say(rowOf("**mean**", mean));
  return mean;
}

table("Tuning scenarios", TUNING);
if (!process.argv.includes("--tuning")) {
  const mean = table("Held-out scenarios", HELD_OUT);
  say("");
  for (const other of ["fixed order", "random"] as const) {
    const is = mean.router <= REACH[other] * mean[other];
    say(
      `${other}: ${share(mean.router, mean[other])} of its regret, reach ≤ ${share(REACH[other], 1)}: ${is ? "reached" : "missed"}`,
    );
    if (!is) process.exitCode = 1;
  }
}
