import type { BatchOutcome, EngineAnswer, VibeError } from "@shared/contracts";
import { EXIT, exitCodeOf } from "./exit.ts";
import type { Arguments } from "./verb.ts";

/** Programs read JSON, people read text: a terminal gets text unless JSON is asked for. */
export const wantsJson = (args: Arguments): boolean => args.flag("json") || !args.terminal.isTTY;

/** Prints a result: the value for programs, the text for people. */
export function print(args: Arguments, value: object, text: string): void {
  args.terminal.out(wantsJson(args) ? `${JSON.stringify(value)}\n` : text === "" ? "" : `${text}\n`);
}

/** Prints a failure: JSON on stdout for programs, and for everyone the message on stderr. */
export function printFailure(args: Arguments, error: VibeError, more: object = {}): number {
  if (wantsJson(args)) args.terminal.out(`${JSON.stringify({ ok: false, error, ...more })}\n`);
  args.terminal.err(`${describeError(error)}\n`);
  return exitCodeOf(error);
}

export function printAnswer(args: Arguments, answer: EngineAnswer, withDiffs: boolean): number {
  const { outcome, head, error } = answer;
  if (error) return printFailure(args, error, { outcome, head });
  print(args, { ok: true, outcome, head }, outcome ? describeOutcome(outcome, withDiffs) : "");
  return EXIT.done;
}

function describeOutcome(outcome: BatchOutcome, withDiffs: boolean): string {
  const lines = [
    outcome.status === "dry-run"
      ? `would apply ${outcome.patches.length} patches (nothing was written)`
      : `applied batch ${outcome.batchId}: entry ${outcome.head.seq}`,
  ];
  for (const patch of outcome.patches) {
    const where = patch.landed ? `:${patch.landed.start}-${patch.landed.end}` : "";
    const moved = patch.moved === 0 ? "" : ` (moved by ${patch.moved} lines)`;
    lines.push(`  ${patch.patch_id}  ${patch.op}  ${patch.file}${where}${moved}`);
  }
  for (const file of outcome.files) lines.push(`  ${file.file}  +${file.linesAdded} -${file.linesRemoved}`);
  for (const check of outcome.checks) {
    if (check.ok === false) lines.push(`  ${check.name}: ${check.findings.map(({ message }) => message).join("; ")}`);
  }
  if (outcome.safety) {
    lines.push(`  safety ${outcome.safety.score} of 100`);
    for (const { name, points, detail } of outcome.safety.reasons) lines.push(`    -${points}  ${name}: ${detail}`);
  }
  if (withDiffs) lines.push(...outcome.files.map(({ diff }) => diff.trimEnd()));
  return lines.join("\n");
}

/** An error as a person corrects it: code, message, the numbered lines around the place, where else it may stand. */
export function describeError(error: VibeError): string {
  const lines = [`${error.code}: ${error.message}`];
  if (error.patchId !== undefined) lines.push(`  patch ${error.patchId}`);
  if (error.context) {
    const { startLine } = error.context;
    lines.push(...error.context.lines.map((line, at) => `  ${String(startLine + at).padStart(5)} | ${line}`));
  }
  if (error.firstDivergence) {
    const { line, expected, actual } = error.firstDivergence;
    lines.push(`  line ${line}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`);
  }
  for (const { start, end } of error.candidates ?? []) lines.push(`  it may be at lines ${start}-${end}`);
  for (const finding of error.findings ?? []) {
    const place = finding.file ?? finding.path?.join(".") ?? "";
    lines.push(`  ${place}${finding.line === undefined ? "" : `:${finding.line}`} ${finding.message}`);
  }
  return lines.join("\n");
}
