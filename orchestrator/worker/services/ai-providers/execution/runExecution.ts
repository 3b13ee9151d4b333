import { type AttemptClass, type ErrorCode, type Head, type VibeError, vibeError } from "@shared/contracts";
import type { ServiceContext } from "../../../context.ts";
import { syncWorkspaceTasks } from "../../task/syncWorkspaceTasks.ts";
import { getWorkspace } from "../../workspace/getWorkspace.ts";
import { askPeople } from "./askPeople.ts";
import { closeRun } from "./closeRun.ts";
import { landChange, takeBack } from "./landChange.ts";
import type { ExecutionParts } from "./parts.ts";
import { loadPlan, type Plan } from "./plan.ts";
import { promptOf } from "./prompt.ts";
import { type ExecutionStatus, finishExecution, isStopped } from "./records.ts";
import { runAttempt } from "./runAttempt.ts";
import { runRace } from "./runRace.ts";
import type { Steps } from "./steps.ts";
import type { Attempt, AttemptEnd, Work } from "./work.ts";

/** Attempts of one execution altogether. */
const MAX_ATTEMPTS = 10;
/** How often one provider is told what was wrong with its change and tries again. */
const MAX_REMEDIATIONS = 2;
/** How often an execution whose providers are all taken waits for one, and how long at most. */
const MAX_WAITS = 10;
const MAX_WAIT_MS = 900_000;
/** How long it waits where nobody knows when a provider will be free. */
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
  const plan = await steps.do("load", "durable", () => loadPlan(ctx, executionId));
  if (plan === null) return null;
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
  return finish(steps, ctx, plan, ended.end);
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

/** One provider after the other, until a change stands, the chain is at its end, or a person gives up. */
async function runChain(work: Work): Promise<Ended> {
  const { steps, ctx, plan } = work;
  let place = 0;
  let remediations = 0;
  let waits = 0;
  let isHostForgiven = false;
  let isAsked = false;
  let addition: string | null = null;
  let end = failedEnd("unavailable", vibeError("PROVIDER_UNAVAILABLE", "no provider was tried"));
  /** The earliest that one of those now closed opens again; undefined: none was closed in this round. */
  let opens: number | null | undefined;
  for (let number = 1; number <= MAX_ATTEMPTS + MAX_WAITS * plan.chain.length; number += 1) {
    const choice = plan.chain[place];
    if (!choice || number - waits * plan.chain.length > MAX_ATTEMPTS) {
      const isWorthWaiting = !choice && opens !== undefined && end.class === "unavailable" && waits < MAX_WAITS;
      if (isWorthWaiting && !(await stopped(work, `stopped ${number}`))) {
        waits += 1;
        const now = await steps.do(`now ${waits}`, "durable", async () => Number(ctx.now().getTime()));
        const ms = opens === null || opens === undefined ? WAIT_MS : opens - now;
        if (ms > MAX_WAIT_MS) break;
        await steps.sleep(`until one is free ${waits}`, Math.max(ms, 1_000));
        place = 0;
        opens = undefined;
        continue;
      }
      const guidance = isAsked || !REMEDIABLE.has(end.class) ? null : await askForGuidance(work, end);
      if (guidance === null) break;
      isAsked = true;
      addition = guidance;
      remediations = MAX_REMEDIATIONS;
      place = Math.max(place - 1, 0);
      continue;
    }
    const attempt: Attempt = {
      ...choice,
      attempt: number,
      prompt: promptOf(plan, addition),
      isRacing: false,
      isLost: () => false,
    };
    end = await tryOnce(work, attempt);
    if (end.class === "applied") return { end, winner: attempt };
    if (end.class === "cancelled") break;
    if (end.class === "unavailable") opens = earliest(opens, end.until);
    if (end.remediation !== null && remediations < MAX_REMEDIATIONS) {
      remediations += 1;
      addition = end.remediation;
    } else if (end.class === "host-lost" && !isHostForgiven) {
      // Not the provider's fault.
      isHostForgiven = true;
    } else {
      place += 1;
      remediations = 0;
      addition = null;
    }
  }
  return { end, winner: null };
}

async function tryOnce(work: Work, attempt: Attempt): Promise<AttemptEnd> {
  const ran = await runAttempt(work, attempt);
  const end: AttemptEnd = ran.hasChange
    ? await landChange(work, attempt)
    : { class: ran.class, message: ran.message, error: ran.error, remediation: null, until: ran.until };
  await closeRun(work, attempt, ran, end);
  return end;
}

const stopped = ({ steps, ctx, plan }: Work, name: string): Promise<boolean> =>
  steps.do(name, "durable", () => isStopped(ctx, plan.executionId));

function earliest(known: number | null | undefined, until: string | null): number | null {
  const at = until === null ? null : Date.parse(until);
  if (known === undefined || known === null) return at;
  return at === null ? known : Math.min(known, at);
}

/** What a person says of a change that no gate would take; null: nothing that helps. */
async function askForGuidance(work: Work, end: AttemptEnd): Promise<string | null> {
  const { plan } = work;
  const answer = await askPeople(work, {
    id: `${plan.executionId}.failure`,
    kind: "failure",
    question:
      `No provider's change for task ${plan.task.id} (${plan.task.title}) could be applied. ` +
      `The last was refused: ${end.message}\n\nSay what to do differently and it is tried once more, or answer "give up".`,
    options: [],
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
  return finish(steps, ctx, plan, {
    ...end,
    class: "cancelled",
    message: "cancelled; its batch was reverted",
    error: standing,
  });
}

async function finish(steps: Steps, ctx: ServiceContext, plan: Plan, end: AttemptEnd): Promise<ExecutionEnd> {
  const status = end.class === "cancelled" ? "cancelled" : end.class === "timeout" ? "timed_out" : "failed";
  const error =
    end.error ?? (status === "cancelled" ? null : vibeError(CODE_OF[end.class] ?? "UPSTREAM_REFUSED", end.message));
  await steps.do("finish", "durable", () =>
    finishExecution(ctx, { executionId: plan.executionId, status, class: end.class, error, applied: null }),
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
