/** One thing that is timed. `run` does the whole of it once; what it answers is kept from being optimised away. */
export interface Contender {
  name: string;
  run: () => unknown;
  /** How many rounds it takes part in; slow peers fewer. Absent: all. */
  rounds?: number;
}

export interface Timing {
  name: string;
  /** Milliseconds. */
  median: number;
  min: number;
  p95: number;
  rounds: number;
}

let sink: unknown;

/**
 * Times contenders in turn, round by round, so that what else the machine does falls on all of them alike. One unmeasured
 * round goes first.
 */
export async function measure(contenders: readonly Contender[], rounds: number): Promise<Map<string, Timing>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const { name, run, rounds: own = rounds } of contenders) {
      if (round >= own) continue;
      const start = performance.now();
      sink = await run();
      if (round >= 0) samples.get(name)?.push(performance.now() - start);
    }
  }
  if (sink === samples) throw new Error("a contender answered with the samples");
  return new Map([...samples].map(([name, times]) => [name, timingOf(name, times)]));
}

export function timingOf(name: string, times: readonly number[]): Timing {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { name, median: at(0.5), min: at(0), p95: at(0.95), rounds: times.length };
}

/** A row of the table: ours against a baseline of the same run, and what is to be reached. */
export interface Row {
  what: string;
  ours: Timing;
  against: Timing;
  /** `slower`: ours may take at most this many times the baseline. `faster`: the baseline must take at least this many times ours. */
  reach: { slower: number } | { faster: number } | null;
}

/** Prints a table, and under it what could not be measured. */
export function printRows(title: string, rows: readonly Row[], remarks: readonly string[] = []): void {
  const lines = [
    `## ${title}`,
    "",
    "| what | ours (ms, median) | against | baseline (ms, median) | ratio | reach | |",
    "|---|---|---|---|---|---|---|",
    ...rows.map(({ what, ours, against, reach }) => {
      const slower = ours.median / against.median;
      const faster = against.median / ours.median;
      const isSlower = reach ? "slower" in reach : slower > 1;
      const ratio = isSlower ? `${slower.toFixed(2)}×` : `${faster.toFixed(1)}× faster`;
      const aim = reach === null ? "—" : "slower" in reach ? `≤ ${reach.slower}×` : `≥ ${reach.faster}× faster`;
      const held =
        reach === null
          ? ""
          : ("slower" in reach ? slower <= reach.slower : faster >= reach.faster)
            ? "reached"
            : "missed";
      return `| ${what} | ${ours.median.toFixed(2)} | ${against.name} | ${against.median.toFixed(2)} | ${ratio} | ${aim} | ${held} |`;
    }),
    ...(remarks.length > 0 ? ["", ...remarks] : []),
    "",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
