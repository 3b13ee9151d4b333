import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const MIB = 1024 * 1024;
const CHILD = fileURLToPath(new URL("memoryChild.ts", import.meta.url));
const ReportSchema = z.object({ code: z.string().nullable(), peak: z.number() });

export interface MemoryRow {
  what: string;
  /** Size of the file and peak memory of the process that edits it, in MiB. */
  size: number;
  peak: number;
  /** `peak` without what the same process needs for a file of one line. */
  own: number;
}

/** Peak memory of opening a workspace with one file and replacing a line of it, in a process of its own. */
export function measureMemory(): MemoryRow[] {
  const small = peakOf(1 / MIB, null);
  return [
    { what: "100 MB, refused as FILE_TOO_LARGE", size: 100, code: "FILE_TOO_LARGE" },
    { what: "30 MB, edited", size: 30, code: null },
  ].map(({ what, size, code }) => {
    const peak = peakOf(size, code);
    return { what, size, peak, own: peak - small };
  });
}

function peakOf(size: number, code: string | null): number {
  const root = mkdtempSync(join(tmpdir(), "vibehq-bench-"));
  try {
    const line = `${"x".repeat(63)}\n`;
    const lines = Math.max(1, Math.ceil((size * MIB) / line.length));
    writeFileSync(join(root, "large.txt"), line.repeat(lines));
    const told = execFileSync(process.execPath, [CHILD, root, "large.txt"], { encoding: "utf8" });
    const report = ReportSchema.parse(JSON.parse(told));
    if (report.code !== code) throw new Error(`the engine answered ${report.code ?? "ok"}, not ${code ?? "ok"}`);
    return report.peak / 1024;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export function printMemory(rows: readonly MemoryRow[]): void {
  const lines = [
    "## Peak memory of one process",
    "",
    "| file | peak (MiB) | beyond a file of one line (MiB) | of the file's size |",
    "|---|---|---|---|",
    ...rows.map(({ what, size, peak, own }) => {
      return `| ${what} | ${peak.toFixed(0)} | ${own.toFixed(0)} | ${(own / size).toFixed(1)}× |`;
    }),
    "",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
