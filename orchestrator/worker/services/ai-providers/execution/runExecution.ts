import { type AttemptClass, type ErrorCode, type Head, type VibeError, vibeError } from "@shared/contracts";
import type { ServiceContext } from "../../../context.ts";
import { syncWorkspaceTasks } from "../../task/syncWorkspaceTasks.ts";
import { getWorkspace } from "../../workspace/getWorkspace.ts";
import { askPeople } from "./askPeople.ts";
import { closeRun } from "./closeRun.ts";
import { landChange, takeBack } from "./landChange.ts";
import type { ExecutionParts } from "./parts.ts";
import { type Choice, loadPlan, type Plan } from "./plan.ts";
import { promptOf } from "./prompt.ts";
import { type ExecutionStatus, finishExecution, isStopped } from "./records.ts";
import { recallAttempt } from "./recallAttempt.ts";
import { runAttempt } from "./runAttempt.ts";
import { runRace } from "./runRace.ts";
import type { Steps } from "./steps.ts";
import type { Attempt, AttemptEnd, Work } from "./work.ts";

/** Attempts of one execution altogether. */
const MAX_ATTEMPTS = 10;
/** How often one provider is told what was wrong with its change and tries again. */
const MAX_REMEDIATIONS = 2;
/** How often an execution whose providers are all taken waits for one, and how long each time at most. */
const MAX_WAITS = 20;
const MAX_WAIT_MS = 900_000;
/** How long it waits first where nobody knows when a provider will be free; each time half as long again. */
const WAIT_MS = 30_000;

/** Its author can do better once it is told why. */
const REMEDIABLE: ReadonlySet<AttemptClass> = new Set<AttemptClass>([
  "import-refused",
  "gate-refused",
  "patch-refused",
  "validation-failed",
]);

export type ExecutionEnd = Extract<ExecutionStatus, "completed" | "failed" | "cancelled" | "timed_out">;

interface Ended {
  end: AttemptEnd;
  /** Whose batch stands. */
  winner: Attempt | null;
}

/**
 * Carries out an execution: prepares the workspace, has its providers try one after the other (or at once, in a race),
 * applies the first change that passes, and puts all of it on record. A restart at any point goes on where it broke off:
 * no provider is started twice for one attempt, at most one batch stands, and what was reserved is settled once. Answers
 * with the status it left; null where there was nothing to do. Throws where its records could not be written for as long
 * as an outage may last.
 */
export async function runExecution(
  steps: Steps,
  ctx: ServiceContext,
  parts: ExecutionParts,
  executionId: string,
): Promise<ExecutionEnd | null> {
  const loaded = await steps.do("load", "durable", () => loadPlan(ctx, executionId));
  if (loaded === null) return null;
  if (!loaded.ok) return finish(steps, ctx, executionId, failedEnd("unavailable", loaded.error));
  const { plan } = loaded;
  let ended: Ended;
  try {
    const prepared = await steps.do("prepare", "durable", () => prepare(ctx, plan));
    if (prepared.ok) {
      const work: Work = { steps, ctx, parts, plan, head: prepared.head };
      ended = plan.isRace ? await runRace(work) : await runChain(work);
      if (ended.winner !== null) return await complete(work, ended.winner, ended.end);
    } else ended = { end: failedEnd("unavailable", prepared.error), winner: null };
  } catch (error) {
    ctx.log.error("an execution broke off", { executionId, error });
    const lost = vibeError("INTERNAL", "its work broke off and could not be taken up again", { nothingWritten: null });
    ended = { end: failedEnd("host-lost", lost), winner: null };
  }
  return finish(steps, ctx, executionId, ended.end);
}

type Prepared = { ok: true; head: Head } | { ok: false; error: VibeError };

/** The workspace is open and knows what the task may touch. */
async function prepare(ctx: ServiceContext, { workspaceId }: Plan): Promise<Prepared> {
  const written = await syncWorkspaceTasks(ctx, workspaceId);
  if (!written.ok) return unprepared(written.error);
  const opened = await getWorkspace(ctx, { workspaceId });
  return opened.ok ? { ok: true, head: opened.workspace.head } : unprepared(opened.error);
}

function unprepared(error: VibeError): Prepared {
  if (error.retryable) throw new Error(`${error.code}: ${error.message}`);
  return { ok: false, error };
}

/** One provider after the other, until a change stands, nobody is left, or a person gives up. */
async function runChain(work: Work): Promise<Ended> {
  const { plan } = work;
  /** Who is still to be tried, the next one first. */
  let todo = [...plan.chain];
  /** Who was taken or closed when it was their turn, and when the first of them is free again; null: nobody knows. */
  let closed: { choices: Choice[]; until: number | null } = { choices: [], until: null };
  let begun = 0;
  let waits = 0;
  let remediations = 0;
  let isHostForgiven = false;
  let isAsked = false;
  let addition: string | null = null;
  let isTried = false;
  /** The last change that no gate would take, and whose it was: there a person's word may help. */
  let refused: { choice: Choice; end: AttemptEnd } | null = null;
  let end = failedEnd("unavailable", vibeError("PROVIDER_UNAVAILABLE", "no provider was tried"));
  for (let number = 1; begun < MAX_ATTEMPTS;) {
    const [choice] = todo;
    if (!choice) {
      if (closed.choices.length > 0 && waits < MAX_WAITS && (await waited(work, (waits += 1), closed.until))) {
        todo = closed.choices;
        closed = { choices: [], until: null };
        continue;
      }
      if (isAsked || refused === null) break;
      const guidance = await askForGuidance(work, refused.end);
      if (guidance === null) break;
      isAsked = true;
      addition = guidance;
      remediations = MAX_REMEDIATIONS;
      todo = [refused.choice];
      continue;
    }
    const prompt = promptOf(plan, addition);
    const attempt: Attempt = { ...choice, attempt: number, prompt, overtaken: null };
    const tried = await tryOnce(work, attempt);
    number += 1;
    if (tried.class === "unavailable") {
      const at = tried.until === null ? null : Date.parse(tried.until);
      const { until, choices } = closed;
      const first = choices.length === 0 || until === null ? at : at === null ? until : Math.min(until, at);
      closed = { choices: [...choices, choice], until: first };
      // What one that could not begin says is less than what one before it ended with.
      if (!isTried) end = tried;
      todo = todo.slice(1);
      continue;
    }
    begun += 1;
    end = tried;
    isTried = true;
    if (REMEDIABLE.has(end.class)) refused = { choice, end };
    if (end.class === "applied") return { end, winner: attempt };
    if (end.class === "cancelled") break;
    if (end.remediation !== null && remediations < MAX_REMEDIATIONS) {
      remediations += 1;
      addition = end.remediation;
    } else if (end.class === "host-lost" && !isHostForgiven) {
      // Not the provider's fault.
      isHostForgiven = true;
    } else {
      todo = todo.slice(1);
      remediations = 0;
      addition = null;
    }
  }
  return { end, winner: null };
}

/** Waits until a provider may be free again. False where that is too far off, or nobody waits for the execution. */
async function waited({ steps, ctx, plan }: Work, round: number, until: number | null): Promise<boolean> {
  const ms = await steps.do(`how long ${round}`, "durable", async () => {
    if (await isStopped(ctx, plan.executionId)) return null;
    return until === null
      ? Math.min(WAIT_MS * 1.5 ** (round - 1), MAX_WAIT_MS)
      : Math.max(until - ctx.now().getTime(), 1_000);
  });
  if (ms === null || ms > MAX_WAIT_MS) return false;
  await steps.sleep(`until one is free ${round}`, ms);
  return true;
}

async function tryOnce(work: Work, attempt: Attempt): Promise<AttemptEnd> {
  const recalled = await recallAttempt(work, attempt);
  if (recalled !== null) {
    await closeRun(work, attempt, recalled.ran, recalled.end);
    return recalled.end;
  }
  const ran = await runAttempt(work, attempt);
  const end: AttemptEnd = ran.hasChange
    ? await landChange(work, attempt)
    : { class: ran.class, message: ran.message, error: ran.error, remediation: null, until: ran.until };
  await closeRun(work, attempt, ran, end);
  return end;
}

/** What a person says of a change that no gate would take; null: nothing that helps. */
async function askForGuidance(work: Work, end: AttemptEnd): Promise<string | null> {
  const { plan } = work;
  const { answer } = await askPeople(work, {
    id: `${plan.executionId}.failure`,
    kind: "failure",
    question:
      `No provider's change for task ${plan.task.id} (${plan.task.title}) could be applied. ` +
      `The last was refused: ${end.message}\n\nSay what to do differently and it is tried once more, or answer "give up".`,
    options: [],
    overtaken: null,
  });
  return answer === null || /^\W*give\s+up\W*$/i.test(answer) ? null : `A person says:\n${answer}`;
}

/** Completes the execution, unless it was to be cancelled meanwhile: then its batch is taken back. */
async function complete(work: Work, winner: Attempt, end: AttemptEnd): Promise<ExecutionEnd> {
  const { steps, ctx, plan } = work;
  const { attempt, provider, model } = winner;
  const isComplete = await steps.do("complete", "durable", () =>
    finishExecution(ctx, {
      executionId: plan.executionId,
      status: "completed",
      class: end.class,
      error: null,
      applied: { attempt, provider, model },
    }),
  );
  if (isComplete) return "completed";
  const standing = await takeBack(work, winner, "the execution was cancelled");
  return finish(steps, ctx, plan.executionId, {
    ...end,
    class: "cancelled",
    message: "cancelled; its batch was reverted",
    error: standing,
  });
}

async function finish(steps: Steps, ctx: ServiceContext, executionId: string, end: AttemptEnd): Promise<ExecutionEnd> {
  const status = end.class === "cancelled" ? "cancelled" : end.class === "timeout" ? "timed_out" : "failed";
  const error =
    end.error ?? (status === "cancelled" ? null : vibeError(CODE_OF[end.class] ?? "UPSTREAM_REFUSED", end.message));
  await steps.do("finish", "durable", () =>
    finishExecution(ctx, { executionId, status, class: end.class, error, applied: null }),
  );
  return status;
}

const CODE_OF: Partial<Record<AttemptClass, ErrorCode>> = {
  unavailable: "PROVIDER_UNAVAILABLE",
  budget: "BUDGET_EXCEEDED",
  "rate-limited": "RATE_LIMITED",
  "provider-error": "UPSTREAM_UNAVAILABLE",
  "host-lost": "ENGINE_UNAVAILABLE",
};

const failedEnd = (attemptClass: AttemptClass, error: VibeError): AttemptEnd => ({
  class: attemptClass,
  message: error.message,
  error,
  remediation: null,
  until: null,
});
