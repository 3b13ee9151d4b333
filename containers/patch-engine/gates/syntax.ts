import type { GateLevel } from "@shared/contracts";
import type { PlannedFile } from "../core/index.ts";
import { contextAround, patchAt, type Gate, type GateInput, type Objection } from "./gate.ts";
import { parseErrors, type SyntaxFault } from "./parse.ts";

/** Files whose syntax is known must parse. A fault that stood in the file before, on the same text, is not the edit's. */
export function syntax(level: GateLevel): Gate {
  return { name: "syntax", level, run: check };
}

async function check({ plan }: GateInput): Promise<Objection[] | null> {
  const objections: Objection[] = [];
  let looked = false;
  for (const file of plan.files) {
    if (file.after === null) continue;
    const after = await parseErrors(file.path, file.after);
    if (after === null) continue;
    looked = true;
    for (const fault of await introduced(file, after)) {
      const patchId = patchAt(plan.patches, file.path, fault.line, file.from);
      const context = contextAround(file.after, fault.line);
      const { line, column, message } = fault;
      objections.push({
        code: "SYNTAX_ERROR",
        finding: { file: file.path, line, column, message },
        ...(context && { context }),
        ...(patchId !== undefined && { patchId }),
      });
    }
  }
  return looked ? objections : null;
}

const keyOf = ({ message, text }: SyntaxFault): string => `${message}\n${text}`;

async function introduced(file: PlannedFile, after: SyntaxFault[]): Promise<SyntaxFault[]> {
  if (after.length === 0 || file.before === null) return after;
  const before = (await parseErrors(file.from ?? file.path, file.before)) ?? [];
  const known = new Map<string, number>();
  for (const fault of before) known.set(keyOf(fault), (known.get(keyOf(fault)) ?? 0) + 1);
  return after.filter((fault) => {
    const left = known.get(keyOf(fault)) ?? 0;
    known.set(keyOf(fault), left - 1);
    return left <= 0;
  });
}
