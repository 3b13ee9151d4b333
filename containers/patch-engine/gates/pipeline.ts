import type {
  CheckOutcome,
  GateLevel,
  GateName,
  PatchBatch,
  PolicyFile,
  TasksFile,
  VibeError,
} from "@shared/contracts";
import { vibeError } from "@shared/contracts";
import { changeLimit } from "./changeLimit.ts";
import type { Gate, GateInput, Objection } from "./gate.ts";
import { guardedRegions } from "./guardedRegions.ts";
import { omission } from "./omission.ts";
import { secrets } from "./secrets.ts";
import { syntax } from "./syntax.ts";
import { taskScope } from "./taskScope.ts";
import { types, type TypeCheckPlace } from "./types.ts";

const RANK: Readonly<Record<GateLevel, number>> = { off: 0, warn: 1, fail: 2 };

const strictest = (...levels: (GateLevel | undefined)[]): GateLevel =>
  levels.reduce<GateLevel>((a, b) => (b !== undefined && RANK[b] > RANK[a] ? b : a), "off");

/**
 * The gates of a batch. The policy sets their levels, and a request only raises them: `check: "none"` turns the syntax
 * gate off where the policy says nothing of it. `explicitCheck` tells a `check` that was asked for from the default.
 * Types are checked where the policy or the request asks for it: `check: "types"` fails on what the batch introduces,
 * or only tells of it with `onTypeErrors: "report"`.
 */
export function gatesFor(
  batch: PatchBatch,
  explicitCheck: boolean,
  policy: PolicyFile,
  tasks: TasksFile | null,
  place: TypeCheckPlace,
): Gate[] {
  const asked = (name: GateName) => batch.gates?.[name];
  const limits = [policy.maxChangedPercent, batch.maxChangedPercent].filter((limit) => limit !== undefined);
  const bySyntax = policy.gates.syntax ?? (batch.check === "none" ? "off" : "fail");
  const byTypes = batch.check !== "types" ? undefined : batch.onTypeErrors === "report" ? "warn" : "fail";
  return [
    taskScope(tasks),
    guardedRegions(strictest(policy.gates.guardedRegions ?? "fail", asked("guardedRegions"))),
    changeLimit(
      strictest(
        policy.gates.changeLimit ?? "fail",
        asked("changeLimit"),
        batch.maxChangedPercent === undefined ? undefined : "fail",
      ),
      limits.length === 0 ? undefined : Math.min(...limits),
    ),
    syntax(strictest(bySyntax, asked("syntax"), explicitCheck && batch.check === "syntax" ? "fail" : undefined)),
    omission(strictest(policy.gates.omission ?? "fail", asked("omission"))),
    secrets(strictest(policy.gates.secrets ?? "fail", asked("secrets"))),
    types(strictest(policy.gates.types, asked("types"), byTypes), place),
  ];
}

/** An undo is not held up by what it puts back, but what is guarded stays guarded. */
export const gatesForRevert = (policy: PolicyFile): Gate[] => [guardedRegions(policy.gates.guardedRegions ?? "fail")];

const MAX_FINDINGS = 50;

/**
 * Runs every gate that is not off, so that one answer shows all there is to correct. The types gate, which costs the
 * most, is spared what another gate refuses already. `error` is that of the first gate that fails, and `patchErrors`
 * what concerns single patches. What one gate knows for a secret is masked in what all of them say.
 */
export async function runGates(
  gates: readonly Gate[],
  input: GateInput,
): Promise<{ checks: CheckOutcome[]; error: VibeError | null; patchErrors: Map<string, VibeError> }> {
  const ran: { gate: Gate; objections: Objection[] | null }[] = [];
  for (const gate of gates) {
    const refused = ran.some(
      (one) => one.gate.level === "fail" && one.objections !== null && one.objections.length > 0,
    );
    const skipped = gate.level === "off" || (gate.last === true && refused);
    ran.push({ gate, objections: skipped ? null : await gate.run(input) });
  }
  const mask = maskOf(ran.flatMap(({ objections }) => objections ?? []));

  const checks: CheckOutcome[] = [];
  const patchErrors = new Map<string, VibeError>();
  let error: VibeError | null = null;
  for (const { gate, objections: unmasked } of ran) {
    const objections = unmasked?.map(mask) ?? null;
    const findings = (objections ?? []).map(({ code, finding }) => ({ ...finding, code })).slice(0, MAX_FINDINGS);
    checks.push({ name: gate.name, level: gate.level, ok: verdictOf(objections), findings });
    const first = objections?.[0];
    if (!first || gate.level !== "fail") continue;
    error ??= errorOf(first, findings);
    for (const objection of objections) {
      const { patchId } = objection;
      if (patchId !== undefined && !patchErrors.has(patchId)) patchErrors.set(patchId, errorOf(objection));
    }
  }
  return { checks, error, patchErrors };
}

/** Null where the gate had nothing to look at, or could not come to an end. */
function verdictOf(objections: readonly Objection[] | null): boolean | null {
  if (objections === null) return null;
  if (objections.length === 0) return true;
  return objections.every(({ inconclusive }) => inconclusive === true) ? null : false;
}

/** Takes every credential that was found out of what an objection says and shows. */
function maskOf(objections: readonly Objection[]): (objection: Objection) => Objection {
  // Line by line, as contexts show a key of several lines; the longest first, as one may be part of another.
  const parts = objections
    .flatMap(({ secret }) => secret?.split("\n") ?? [])
    .map((part) => part.trim())
    .filter((part) => part.length >= 4)
    .toSorted((a, b) => b.length - a.length);
  if (parts.length === 0) return (objection) => objection;
  const clean = (text: string): string => parts.reduce((rest, part) => rest.replaceAll(part, "[credential]"), text);
  return ({ finding, context, ...rest }) => ({
    ...rest,
    finding: { ...finding, message: clean(finding.message) },
    ...(context && { context: { ...context, lines: context.lines.map(clean) } }),
  });
}

function errorOf(objection: Objection, findings: CheckOutcome["findings"] = []): VibeError {
  const { code, finding, patchId, context } = objection;
  const place = finding.line === undefined || finding.file === undefined ? "" : `${finding.file}:${finding.line}: `;
  return vibeError(code, `${place}${finding.message}`, {
    ...(finding.file !== undefined && { file: finding.file }),
    ...(patchId !== undefined && { patchId }),
    ...(context && { context }),
    ...(findings.length > 1 && { findings }),
  });
}
