import type { HilRequest } from "@shared/contracts";
import { isStopped, setWaiting } from "./records.ts";
import { WAKE_EVENT } from "./steps.ts";
import type { Work } from "./work.ts";

/** How long a person has to answer, in seconds. */
const EXPIRES_SECONDS = 86_400;
/** How long one wait lasts at most: a wake-up that was lost costs no more than this. */
const WAIT_MS = 900_000;
const MAX_WAITS = 2 + (EXPIRES_SECONDS * 1_000) / WAIT_MS;

export interface Question {
  /** Asked twice under it, it is one request. */
  id: string;
  kind: HilRequest["kind"];
  question: string;
  /** What may be answered; none: any text. */
  options: string[];
}

type Decided = { status: "open" | "answered" | "over"; answer: string | null };

/**
 * Asks people and waits for the answer, for a day. Null where there is none: nobody answered in time, it was withdrawn,
 * or the execution was ended. What decides is the request's row, not the message that wakes this work.
 */
export async function askPeople(work: Work, { id, kind, question, options }: Question): Promise<string | null> {
  const { steps, ctx, parts, plan } = work;
  const { executionId } = plan;
  const asked = await steps.do(`ask ${id}`, "durable", async () => {
    const created = await parts.createHilRequest(ctx, {
      id,
      kind,
      question: question.slice(0, 20_000).trim().toWellFormed() || "It asks something without saying what.",
      options,
      executionId,
      expiresInSeconds: EXPIRES_SECONDS,
    });
    if (!created.ok) {
      if (created.error.retryable) throw new Error(`${created.error.code}: ${created.error.message}`);
      ctx.log.error("people could not be asked", { executionId, code: created.error.code });
      return false;
    }
    await setWaiting(ctx, executionId, id);
    return true;
  });
  if (!asked) return null;
  let decided: Decided = { status: "open", answer: null };
  for (let wait = 1; decided.status === "open" && wait <= MAX_WAITS; wait += 1) {
    await steps.wait(`wait ${wait} for ${id}`, WAIT_MS, WAKE_EVENT);
    decided = await steps.do(`read ${wait} of ${id}`, "durable", () => readAnswer(work, id));
  }
  await steps.do(`answered ${id}`, "durable", async () => {
    await setWaiting(ctx, executionId, null);
    return true;
  });
  return decided.answer;
}

async function readAnswer({ ctx, plan }: Work, id: string): Promise<Decided> {
  const row = await ctx.db.ops
    .selectFrom("hil_requests")
    .select(["status", "answer", "expires_at"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (row?.status === "answered") return { status: "answered", answer: row.answer };
  const isOpen = row?.status === "open" && row.expires_at > ctx.now().toISOString();
  return isOpen && !(await isStopped(ctx, plan.executionId))
    ? { status: "open", answer: null }
    : { status: "over", answer: null };
}
