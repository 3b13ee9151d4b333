import { parseArgs } from "node:util";
import { fingerprintOf } from "../worker/services/ops/fingerprint.ts";
import { generateLines } from "./ops/generate.ts";
import { judge, type Grouping } from "./ops/grouping.ts";
import { HELD_OUT } from "./ops/heldOut.ts";
import type { LabelledLine } from "./ops/logLine.ts";
import { readPublished } from "./ops/published.ts";

/**
 * `pnpm bench:ops`: how well log lines are grouped by cause, over all pairs of lines, beside grouping by the exact
 * message. Prints the table of docs/benchmarks.md. `--published DIRECTORY` adds the excerpts of logs that others have
 * published, from clones of their repositories there (ops/published.json names them). `--tuning` leaves all held-out
 * excerpts alone; `--groups` prints what was put together wrongly, of the generated lines alone.
 */

const REACH = 0.95;
const LINES = 10_000;
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const rate = (value: number): string => value.toFixed(4);

const exact = ({ kind, source, message }: LabelledLine): string => JSON.stringify([kind, source, message]);
const byFingerprint = (line: LabelledLine): string => fingerprintOf(line).fingerprint;

function row(name: string, lines: readonly LabelledLine[], mustReach: boolean): Grouping {
  const started = performance.now();
  const ours = judge(lines, byFingerprint);
  const perLine = ((performance.now() - started) * 1_000) / lines.length;
  const plain = judge(lines, exact);
  const causes = new Set(lines.map(({ cause }) => cause)).size;
  const reached = ours.precision >= REACH && ours.recall >= REACH;
  if (mustReach && !reached) process.exitCode = 1;
  say(
    `| ${name} | ${lines.length} | ${causes} | ${ours.groups} | ${rate(ours.precision)} | ${rate(ours.recall)} | ${plain.groups} | ${rate(plain.precision)} | ${rate(plain.recall)} | ${perLine.toFixed(0)} | ${reached ? "reached" : "missed"} |`,
  );
  return ours;
}

const { published } = parseArgs({
  options: { published: { type: "string" }, tuning: { type: "boolean" }, groups: { type: "boolean" } },
}).values;
const generated = generateLines(LINES, "ops");
if (process.argv.includes("--groups")) {
  const groups = Map.groupBy(generated, (line) => fingerprintOf(line).template);
  for (const [text, lines] of groups) {
    const causes = [...new Set(lines.map(({ cause }) => cause))];
    say(`${lines.length}\t${causes.join(" + ")}\t${JSON.stringify(text)}`);
  }
} else {
  say(
    "| lines | how many | causes | groups | precision | recall | exact: groups | precision | recall | µs a line | ≥ 0.95 |",
  );
  say("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  row("generated", generated, true);
  if (!process.argv.includes("--tuning")) {
    row("held out, written by hand", HELD_OUT, true);
    // What others have written is measured and said, whatever it comes to.
    if (published !== undefined) row("held out, published", readPublished(published), false);
  }
}
