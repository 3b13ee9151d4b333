import type { HilRequest } from "@shared/contracts";
import { isStopped, setWaiting } from "./records.ts";
import { WAKE_EVENT } from "./steps.ts";
import type { Overtaken, Work } from "./work.ts";

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
  /** Of an attempt in a race: told when another was first, and nobody's answer is of use any more. */
  overtaken: Overtaken | null;
}

/** `ended`: nobody waits for the answer any more, as the execution was ended or another attempt was first. */
type Decided = { status: "open" | "unanswered" | "ended"; answer: null } | { status: "answered"; answer: string };
type Answered = Exclude<Decided, { status: "open" }>;

/**
 * Asks people and waits for the answer, for a day: `unanswered` where nobody gave one in time or it was withdrawn. What
 * decides is the request's row, not the message that wakes this work.
 */
export async function askPeople(work: Work, { overtaken, ...asking }: Question): Promise<Answered> {
  const { id, kind, question, options } = asking;
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
  if (!asked) return { status: "unanswered", answer: null };
  const isLost = overtaken?.promise ?? new Promise<never>(() => undefined);
  let decided: Decided = { status: "open", answer: null };
  for (let wait = 1; decided.status === "open" && wait <= MAX_WAITS; wait += 1) {
    await Promise.race([steps.wait(`wait ${wait} for ${id}`, WAIT_MS, WAKE_EVENT), isLost]);
    decided = await steps.do(`read ${wait} of ${id}`, "durable", () => readAnswer(work, id, overtaken));
  }
  const { status } = decided;
  await steps.do(`answered ${id}`, "durable", async () => {
    if (status === "ended") {
      const withdrawn = await parts.cancelHilRequests(ctx, { executionId });
      if (!withdrawn.ok) ctx.log.warn("a question was not withdrawn", { executionId, code: withdrawn.error.code });
    }
    await setWaiting(ctx, executionId, null);
    return true;
  });
  return decided.status === "open" ? { status: "unanswered", answer: null } : decided;
}

async function readAnswer({ ctx, plan }: Work, id: string, overtaken: Overtaken | null): Promise<Decided> {
  const row = await ctx.db.ops
    .selectFrom("hil_requests")
    .select(["status", "answer", "expires_at"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (overtaken?.isSet === true || (await isStopped(ctx, plan.executionId))) return { status: "ended", answer: null };
  if (row?.status === "answered" && row.answer !== null) return { status: "answered", answer: row.answer };
  const isOpen = row?.status === "open" && row.expires_at > ctx.now().toISOString();
  return { status: isOpen ? "open" : "unanswered", answer: null };
}
