import type { GateLevel } from "@shared/contracts";
import { TextFile } from "../core/index.ts";
import { changedLines, type Gate, type GateInput, type Objection } from "./gate.ts";

/**
 * The share of a file's lines a batch may change, in percent of the lines it had: the greater of lines added and lines
 * removed. New and empty files have no share.
 */
export function changeLimit(level: GateLevel, maxPercent: number | undefined): Gate {
  return {
    name: "changeLimit",
    level,
    run: (input) => (maxPercent === undefined ? null : check(input, maxPercent)),
  };
}

function check({ plan }: GateInput, maxPercent: number): Objection[] {
  return plan.files.flatMap((file): Objection[] => {
    const lines = file.before ? TextFile.of(Buffer.from(file.before)).lineCount : 0;
    const percent = lines === 0 ? 0 : (changedLines(file) * 100) / lines;
    if (percent <= maxPercent) return [];
    const name = file.from ?? file.path;
    const message = `The batch changes ${Math.round(percent)}% of ${name}; ${maxPercent}% is allowed.`;
    return [{ code: "CHANGE_LIMIT_EXCEEDED", finding: { file: name, message } }];
  });
}
