import type { AttemptClass } from "@shared/contracts";

/**
 * What an attempt is worth to the router.
 *
 * An attempt whose batch stands is worth what its patches came to, on average over them: 1 for one that was validated,
 * 0.7 for one that is applied and was checked by nothing beyond syntax, 0 for one that was reverted, by whomever. An
 * attempt that ended in nothing that stands is worth 0. What says nothing of how well a provider works on such a task
 * does not count: it was stopped, never started, was beaten in a race, or its service was closed to us, which the
 * breaker knows and mends by itself.
 */
export const REWARD = { validated: 1, applied: 0.7, reverted: 0 } as const;

/** How much an attempt that ended so counts; 0: not at all. */
const WEIGHT: Record<AttemptClass, number> = {
  applied: 1,
  change: 1,
  "empty-diff": 1,
  "diff-refused": 1,
  "import-refused": 1,
  "gate-refused": 1,
  "patch-refused": 1,
  "validation-failed": 1,
  "agent-error": 1,
  timeout: 1,
  "output-limit": 1,
  "disk-limit": 1,
  "memory-limit": 1,
  "cpu-limit": 1,
  "process-limit": 1,
  "key-printed": 1,
  // The service's fault and perhaps soon over, but the task went without.
  "provider-error": 0.5,
  "rate-limited": 0,
  quota: 0,
  auth: 0,
  "not-installed": 0,
  cancelled: 0,
  "host-lost": 0,
  budget: 0,
  unavailable: 0,
  "lost-race": 0,
};

/** A batch's patches by their last word. */
export interface Standing {
  patches: number;
  validated: number;
  applied: number;
}

/** `standing`: what is known of the attempt's batch; null: nothing yet. */
export function rewardOf(ended: AttemptClass, standing: Standing | null): { reward: number; weight: number } {
  const weight = WEIGHT[ended];
  if (ended !== "applied") return { reward: 0, weight };
  if (standing === null || standing.patches === 0) return { reward: REWARD.applied, weight };
  const { patches, validated, applied } = standing;
  return { reward: (validated * REWARD.validated + applied * REWARD.applied) / patches, weight };
}
