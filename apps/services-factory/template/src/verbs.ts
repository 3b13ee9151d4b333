import { ok, refuse, type Result } from "./result.ts";

/** Metres in one of each unit. */
const METRES = new Map<string, number>([
  ["m", 1],
  ["km", 1000],
  ["mi", 1609.344],
  ["ft", 0.3048],
]);

export interface ConvertInput {
  value: number;
  from: string;
  to: string;
}

export function convert({ value, from, to }: ConvertInput): Result<number> {
  if (!Number.isFinite(value)) return refuse(400, "value must be a finite number");
  const [metresFrom, metresTo] = [METRES.get(from), METRES.get(to)];
  if (metresFrom === undefined || metresTo === undefined) {
    return refuse(404, `units are ${[...METRES.keys()].join(", ")}`);
  }
  return ok((value * metresFrom) / metresTo);
}

// ###FINAL_MILE_PROMPT__VERBS###
// Further verbs, each a function that answers with a Result.
// ###END_VERBS###
