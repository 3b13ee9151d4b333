import type {
  CheckOutcome,
  GateLevel,
  GateName,
  PatchBatch,
  PolicyFile,
  TasksFile,
  VibeError,
} from "@shared/contracts";
import { fail, vibeError, type Result } from "@shared/contracts";
import { changeLimit } from "./changeLimit.ts";
import type { Gate, GateInput, Objection } from "./gate.ts";
import { guardedRegions } from "./guardedRegions.ts";
import { syntax } from "./syntax.ts";
import { taskScope } from "./taskScope.ts";

const RANK: Readonly<Record<GateLevel, number>> = { off: 0, warn: 1, fail: 2 };

const strictest = (...levels: (GateLevel | undefined)[]): GateLevel =>
  levels.reduce<GateLevel>((a, b) => (b !== undefined && RANK[b] > RANK[a] ? b : a), "off");

/** Gates whose names are set and whose work is not built: asking for one is refused, never passed over. */
const UNBUILT = ["omission", "secrets", "types"] as const satisfies readonly GateName[];

/**
 * The gates of a batch. The policy sets their levels, and a request only raises them: `check: "none"` turns the syntax
 * gate off where the policy says nothing of it. `explicitCheck` tells a `check` that was asked for from the default.
 */
export function gatesFor(
  batch: PatchBatch,
  explicitCheck: boolean,
  policy: PolicyFile,
  tasks: TasksFile | null,
): Result<{ gates: Gate[] }> {
  for (const name of UNBUILT) {
    const level = strictest(policy.gates[name], batch.gates?.[name]);
    const asked = name === "types" && batch.check === "types" ? "fail" : level;
    if (asked !== "off") return fail("UNSUPPORTED_OPERATION", `The ${name} gate is not available in this engine.`);
  }
  const asked = (name: GateName) => batch.gates?.[name];
  const limits = [policy.maxChangedPercent, batch.maxChangedPercent].filter((limit) => limit !== undefined);
  const bySyntax = policy.gates.syntax ?? (batch.check === "none" ? "off" : "fail");
  return {
    ok: true,
    gates: [
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
      ...UNBUILT.map((name): Gate => ({ name, level: "off", run: () => null })),
    ],
  };
}

/** An undo is not held up by what it puts back, but what is guarded stays guarded. */
export const gatesForRevert = (policy: PolicyFile): Gate[] => [guardedRegions(policy.gates.guardedRegions ?? "fail")];

const MAX_FINDINGS = 50;

/**
 * Runs every gate that is not off, so that one answer shows all there is to correct. `error` is that of the first gate
 * that fails, and `patchErrors` what concerns single patches.
 */
export async function runGates(
  gates: readonly Gate[],
  input: GateInput,
): Promise<{ checks: CheckOutcome[]; error: VibeError | null; patchErrors: Map<string, VibeError> }> {
  const checks: CheckOutcome[] = [];
  const patchErrors = new Map<string, VibeError>();
  let error: VibeError | null = null;
  for (const gate of gates) {
    const objections = gate.level === "off" ? null : await gate.run(input);
    const findings = (objections ?? []).map(({ code, finding }) => ({ ...finding, code })).slice(0, MAX_FINDINGS);
    checks.push({
      name: gate.name,
      level: gate.level,
      ok: objections === null ? null : objections.length === 0,
      findings,
    });
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
