import { HEALTH_THRESHOLDS, type WorkerStanding } from "@shared/contracts";

/** How a Worker stands, as far as its ended checks say. */
export interface Standing {
  status: WorkerStanding;
  flapping: boolean;
  /** The latest outcomes, oldest first: P or F each. */
  recent: string;
  /** When `status` or `flapping` last moved. */
  changedAt: string | null;
  /** Which status was last said of it, so that nothing is said twice. */
  told: WorkerStanding;
}

export type Turn = "down" | "up" | "flapping" | "settled";

/** As many outcomes are remembered; so many turns among them are flapping, and so many alike in a row end it. */
export const FLAPPING = { window: 21, turns: 6, steady: 6 } as const;

export const UNKNOWN: Standing = { status: "unknown", flapping: false, recent: "", changedAt: null, told: "unknown" };

/** How many of the last outcomes are the same as the very last. */
function runOf(recent: string): number {
  let run = 0;
  while (run < recent.length && recent.at(-1 - run) === recent.at(-1)) run += 1;
  return run;
}

const turnsOf = (recent: string): number =>
  Array.from(recent).filter((outcome, at) => at > 0 && outcome !== recent[at - 1]).length;

/**
 * The standing after one more outcome, and what is to be said of it. Three failures in a row are `down`, two passes are
 * `up`; less is a blip and changes nothing. A Worker of which nothing is known is up with its first pass, which is no
 * news. While it flaps, coming up is not said; that it has settled is. An outage is said once, flapping or not.
 */
export function nextStanding(
  before: Standing,
  outcome: { passed: boolean; at: string },
): { after: Standing; turns: Turn[] } {
  const recent = (before.recent + (outcome.passed ? "P" : "F")).slice(-FLAPPING.window);
  const run = runOf(recent);
  const turns: Turn[] = [];

  let { status, flapping, told } = before;
  if (!outcome.passed && run >= HEALTH_THRESHOLDS.down) status = "down";
  else if (outcome.passed && (run >= HEALTH_THRESHOLDS.up || status === "unknown")) status = "up";

  const turned = recent.length > 1 && run === 1;
  if (!flapping && turned && turnsOf(recent) >= FLAPPING.turns) {
    flapping = true;
    turns.push("flapping");
  } else if (flapping && run >= FLAPPING.steady) {
    flapping = false;
    turns.push("settled");
    told = status;
  }
  if (status === "down" && told !== "down") {
    turns.push("down");
    told = "down";
  } else if (status === "up" && told === "down" && !flapping) {
    turns.push("up");
    told = "up";
  } else if (status === "up" && told === "unknown") told = "up";

  const moved = status !== before.status || flapping !== before.flapping;
  return { after: { status, flapping, recent, changedAt: moved ? outcome.at : before.changedAt, told }, turns };
}
