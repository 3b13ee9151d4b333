import type { Attempt, Execution, ExecutionDetail } from "@shared/contracts";
import { duration, instant } from "../../lib/format.ts";

const OVER: readonly Execution["status"][] = ["completed", "failed", "cancelled", "timed_out"];
export const isOver = ({ status }: Pick<Execution, "status">): boolean => OVER.includes(status);

/** How long it took, or takes until now. */
export function spanOf(from: string | null, to: string | null, known: number | null = null): number | null {
  if (known !== null) return known;
  return from === null ? null : (to === null ? Date.now() : instant(to)) - instant(from);
}
export const durationOf = (run: Pick<Execution, "started_at" | "finished_at" | "duration_ms">): string =>
  duration(spanOf(run.started_at, run.finished_at, run.duration_ms));

/** Whether the attempt came after one of another provider failed, and not beside it as in a race. */
export function fellBackFrom(attempt: Attempt, all: readonly Attempt[], race: ExecutionDetail["race"]): Attempt | null {
  if (race !== null) return null;
  const before = all.find((each) => each.attempt === attempt.attempt - 1);
  return before !== undefined && before.provider_name !== attempt.provider_name ? before : null;
}
