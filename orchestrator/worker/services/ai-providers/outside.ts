import { getBranch } from "../../integrations/github.ts";
import type { Outside } from "./taskFacts.ts";

/** The outside systems that a decision asks. */
export const OUTSIDE: Outside = { getBranch };
