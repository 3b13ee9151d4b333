import type { AgentRunResult, RunClass } from "@shared/contracts";
import type { Exit } from "./AgentProcess.ts";
import type { Failure } from "./classify.ts";
import type { Change } from "./collectChange.ts";
import type { Breach } from "./LimitWatch.ts";

/** What ended a run from outside of it. */
export type Stop = Breach | Failure | { class: Extract<RunClass, "cancelled" | "host-lost">; message: string };

export interface Evidence {
  stopped: Stop | null;
  exit: Exit;
  change: Change;
  failure: Failure | null;
  /** A secret of the run stood in its output or its diff. */
  isSecretTold: boolean;
}

type Verdict = Pick<AgentRunResult, "class" | "message" | "retryAfterMs">;

const verdict = (runClass: RunClass, message: string, retryAfterMs: number | null = null): Verdict => ({
  class: runClass,
  message,
  retryAfterMs,
});

/**
 * What a run came to. A told secret outweighs all but the caller's own word; then what stopped it; then what its
 * provider said last, as a change that was broken off is half of one; then what it changed. An exit code says nothing
 * of a change, and only that something went wrong where there is none.
 */
export function verdictOf({ stopped, exit, change, failure, isSecretTold }: Evidence): Verdict {
  if (stopped?.class === "cancelled" || stopped?.class === "host-lost") return verdict(stopped.class, stopped.message);
  if (isSecretTold) return verdict("key-printed", "a secret of the run stood in its output or its diff");
  if (stopped !== null)
    return verdict(stopped.class, stopped.message, "retryAfterMs" in stopped ? stopped.retryAfterMs : null);
  if (failure !== null) return verdict(failure.class, failure.message, failure.retryAfterMs);
  if (exit.signal !== null) return verdict("agent-error", `the program was ended by ${exit.signal}`);
  switch (change.kind) {
    case "diff": {
      const { length } = change.files;
      return verdict("change", `it changed ${length} file${length === 1 ? "" : "s"}`);
    }
    case "refused":
      return verdict("diff-refused", change.message);
    case "none":
      return exit.code === 0
        ? verdict("empty-diff", "it ended well and changed nothing")
        : verdict("agent-error", `the program ended with ${exit.code ?? "an error"} and changed nothing`);
  }
}
