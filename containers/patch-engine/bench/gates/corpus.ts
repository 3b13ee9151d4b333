import { alarmRate, changesOf, GATES, recall, score, SETS } from "../../corpus/corpus.ts";

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** Prints what the omission and secrets gates make of their corpus, set by set, and what they were wrong about. */
export async function printCorpus(): Promise<void> {
  const rows: string[] = [];
  const wrong: string[] = [];
  for (const gate of GATES) {
    const changes = changesOf(gate);
    for (const set of [...SETS, "both"] as const) {
      const result = await score(
        gate,
        changes.filter((change) => set === "both" || change.set === set),
      );
      const { found, harmful, alarms, innocent } = result;
      const held = recall(result) >= 0.95 && alarmRate(result) <= 0.01 ? "reached" : "missed";
      rows.push(
        `| ${gate} | ${set} | ${harmful + innocent} | ${percent(recall(result))} (${found} of ${harmful}) | ` +
          `${percent(alarmRate(result))} (${alarms} of ${innocent}) | ${held} |`,
      );
      if (set === "both") wrong.push(...result.wrong);
    }
  }
  const lines = [
    "## Omission and secrets on the corpus",
    "",
    "| gate | set | changes | recall | false alarms | ≥ 95 %, ≤ 1 % |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    ...(wrong.length > 0 ? ["Wrong about:", "", ...wrong.map((name) => `- ${name}`), ""] : []),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
