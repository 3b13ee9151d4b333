import picomatch from "picomatch";
import type { AllowedEdit, ScopedTask, TasksFile } from "@shared/contracts";
import type { PlannedPatch } from "../core/index.ts";
import { changedLines, countsOfDiff, type Gate, type GateInput, type Objection } from "./gate.ts";

/**
 * A patch that names a task stays within what the task allows: its files, their spans, its operations, its number of
 * changed lines in one batch. Spans are lines of the state before the batch. Never off.
 */
export function taskScope(tasks: TasksFile | null): Gate {
  return { name: "taskScope", level: "fail", run: (input) => check(input, tasks) };
}

function check(input: GateInput, tasks: TasksFile | null): Objection[] | null {
  const scoped = input.plan.patches.filter((patch) => patch.task_id !== null);
  if (scoped.length === 0) return null;

  const objections: Objection[] = [];
  const changed = new Map<ScopedTask, number>();
  for (const patch of scoped) {
    const refuse = (code: Objection["code"], message: string, at?: { file: string; line?: number }) => {
      objections.push({ code, patchId: patch.patch_id, finding: { message, file: at?.file ?? patch.file, ...at } });
    };
    const task = tasks?.tasks.find((one) => one.id === patch.task_id);
    if (!task) {
      refuse("UNKNOWN_TASK", `The workspace has no task ${patch.task_id}.`);
      continue;
    }
    for (const place of placesOf(patch, input)) {
      const rules = task.allowed.filter((rule) => matches(rule, place.file));
      const ofOp = rules.filter((rule) => rule.ops === undefined || rule.ops.includes(patch.op));
      if (rules.length === 0) refuse("TASK_SCOPE_VIOLATION", `Task ${task.id} may not edit ${place.file}.`, place);
      else if (ofOp.length === 0) {
        refuse("TASK_SCOPE_VIOLATION", `Task ${task.id} may not ${patch.op} in ${place.file}.`, place);
      } else if (!ofOp.some((rule) => withinSpans(rule, place))) {
        const spans = ofOp.flatMap((rule) => rule.spans ?? []).map(({ start, end }) => `${start}–${end}`);
        const where = `lines ${spans.join(", ")} of ${place.file}`;
        refuse("TASK_SCOPE_VIOLATION", `Task ${task.id} may edit only ${where}.`, {
          file: place.file,
          line: place.start,
        });
      }
    }
    if (task.maxChangedLines !== undefined) {
      const total = (changed.get(task) ?? 0) + changedLines(countsOfDiff(patch.diff));
      changed.set(task, total);
      if (total > task.maxChangedLines) {
        refuse("TASK_SCOPE_VIOLATION", `Task ${task.id} may change ${task.maxChangedLines} lines; these are ${total}.`);
      }
    }
  }
  return objections;
}

interface Place {
  file: string;
  /** Absent: the file as such, by its name. */
  start?: number;
  end?: number;
}

function placesOf(patch: PlannedPatch, { plan }: GateInput): Place[] {
  const places: Place[] = patch.touched.map(({ file, start, end }) => ({ file, start, end }));
  if (places.length === 0) places.push({ file: patch.file });
  for (const file of plan.files) {
    // Where a file goes to must be allowed as well as where it comes from.
    if ((patch.op === "rename-file" || patch.op === "apply-diff") && file.from === patch.file)
      places.push({ file: file.path });
  }
  return places;
}

const matches = (rule: AllowedEdit, file: string): boolean => picomatch(rule.files, { dot: true })(file);

function withinSpans(rule: AllowedEdit, place: Place): boolean {
  const { start, end } = place;
  if (rule.spans === undefined) return true;
  // A rule for lines does not allow what concerns a file as a whole.
  if (start === undefined || end === undefined) return false;
  return rule.spans.some((span) =>
    end < start ? span.start <= start && start <= span.end + 1 : span.start <= start && end <= span.end,
  );
}
