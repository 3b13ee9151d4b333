import type { Outside } from "./taskFacts.ts";

/** The outside systems that a decision asks. Without GitHub, no task is on a branch there. */
export const OUTSIDE: Outside = { getBranch: null };
