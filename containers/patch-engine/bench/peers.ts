import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PEERS } from "./peers/peer.ts";
import { SCENARIOS } from "./peers/scenarios.ts";

/** `pnpm bench:peers`: puts each question to each editor for real, and prints what it did as a table. */
const rows: string[] = [];
for (const { question, ask } of SCENARIOS) {
  const cells: string[] = [];
  for (const peer of PEERS) {
    const directory = mkdtempSync(join(tmpdir(), "vibehq-peers-"));
    try {
      cells.push((await ask(peer, directory)) ? "yes" : "no");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  rows.push(`| ${question} | ${cells.join(" | ")} |`);
}
const heads = PEERS.map(({ name, version }) => `${name} (${version})`);
process.stdout.write(`| | ${heads.join(" | ")} |\n|---|${heads.map(() => "---").join("|")}|\n${rows.join("\n")}\n`);
