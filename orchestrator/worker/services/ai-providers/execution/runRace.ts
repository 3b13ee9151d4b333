import { closeRun } from "./closeRun.ts";
import { landChange } from "./landChange.ts";
import { promptOf } from "./prompt.ts";
import { runAttempt } from "./runAttempt.ts";
import type { Attempt, AttemptEnd, Ran, Work } from "./work.ts";

interface Lane {
  attempt: Attempt;
  ran: Promise<Ran>;
}

/**
 * Gives the task to all of the plan's providers at once. They are judged one after the other, in the order they come in;
 * the first whose batch stands wins, and the rest are ended and billed as far as they went. The order is put on record
 * as a step of its own, so that a restart judges in the same one.
 */
export async function runRace(work: Work): Promise<{ end: AttemptEnd; winner: Attempt | null }> {
  const { steps, plan } = work;
  const prompt = promptOf(plan, null);
  const finish = Promise.withResolvers<void>();
  const overtaken = { isSet: false, promise: finish.promise };
  const lanes = new Map<number, Lane>();
  for (const [index, choice] of plan.chain.entries()) {
    const attempt: Attempt = { ...choice, attempt: index + 1, prompt, overtaken };
    lanes.set(attempt.attempt, { attempt, ran: runAttempt(work, attempt) });
  }
  let last: AttemptEnd | null = null;
  let winner: Attempt | null = null;
  for (let place = 1; lanes.size > 0; place += 1) {
    const first = await Promise.race([...lanes].map(([attempt, { ran }]) => ran.then(() => attempt)));
    const picked = await steps.do(`place ${place}`, "durable", async () => first);
    const lane = lanes.get(picked);
    if (!lane) throw new Error(`attempt ${picked} came in twice`);
    lanes.delete(picked);
    const ran = await lane.ran;
    const judged = await judge(work, lane.attempt, ran, winner);
    await closeRun(work, lane.attempt, ran, judged);
    if (judged.class === "applied") {
      winner = lane.attempt;
      overtaken.isSet = true;
      finish.resolve();
    }
    if (winner === null || judged.class === "applied") last = judged;
  }
  if (last === null) throw new Error("a race needs providers");
  return { end: last, winner };
}

async function judge(work: Work, attempt: Attempt, ran: Ran, winner: Attempt | null): Promise<AttemptEnd> {
  const end: AttemptEnd = {
    class: ran.class,
    message: ran.message,
    error: ran.error,
    remediation: null,
    until: ran.until,
  };
  if (winner !== null) {
    // What failed before it was ended failed; only what worked, or could have gone on, lost.
    return ran.class === "change" || ran.class === "cancelled"
      ? { ...end, class: "lost-race", message: `${winner.provider} was first` }
      : end;
  }
  return ran.hasChange ? landChange(work, attempt) : end;
}
