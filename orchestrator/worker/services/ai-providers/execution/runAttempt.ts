import { NO_USAGE, type ProviderDefinition, type RunClass, type Usage, vibeError } from "@shared/contracts";
import { redactor } from "@shared/worker-kit";
import { allSecrets, lacksSecret, secretOf } from "../../secrets/secretService.ts";
import {
  type Begun,
  MAX_CHANGE_BYTES,
  NotBegunError,
  type Polled,
  type ProviderDriver,
  type ProviderResult,
  type ProviderRun,
} from "../driver.ts";
import { askPeople } from "./askPeople.ts";
import { isStopped, keepCollected, keepExternalId, markAsked, openAttempt } from "./records.ts";
import { NEWS_EVENT } from "./steps.ts";
import { type Attempt, type Ran, runOf, type Work } from "./work.ts";

/** How often a provider that gives no answer is asked to begin; the later asks start nothing. */
const MAX_BEGINS = 3;
const BEGIN_AGAIN_MS = 3_000;
/** How long one step looks at a run that says by itself when there is more, in milliseconds. */
const LOOK_MS = 45_000;
/** What a provider that bounds its own time has beyond it before it is ended from here. */
const GRACE_MS = 60_000;
/** Looks at one run; with the waits between them more than the longest run takes. */
const MAX_LOOKS = 400;

const NOT_RAN: Ran = {
  class: "unavailable",
  message: "",
  error: null,
  retryAfterMs: null,
  usage: NO_USAGE,
  hasChange: false,
  until: null,
  isReserved: false,
};

/**
 * Has a provider work on the task, up to the change it comes back with. Never throws for what the provider or its host
 * does: that is a class. What it holds (a place, budget) is given back by whoever closes the attempt.
 */
export async function runAttempt(work: Work, attempt: Attempt): Promise<Ran> {
  try {
    return await runSteps(work, attempt);
  } catch (error) {
    const { ctx, plan } = work;
    ctx.log.error("an attempt broke off", { executionId: plan.executionId, attempt: attempt.attempt, error });
    return { ...NOT_RAN, class: "host-lost", message: "its work broke off", isReserved: true };
  }
}

async function runSteps(work: Work, attempt: Attempt): Promise<Ran> {
  const { steps, ctx, parts, plan } = work;
  const at = (what: string): string => `attempt ${attempt.attempt}: ${what}`;
  const reserved = await steps.do(at("reserve"), "durable", () => reserve(work, attempt));
  if (!reserved.ok) {
    return {
      ...NOT_RAN,
      class: reserved.code === "BUDGET_EXCEEDED" ? "budget" : "unavailable",
      message: reserved.why,
      error: vibeError(reserved.code, reserved.why),
      until: reserved.until,
    };
  }
  const isOpen = await steps.do(at("open"), "durable", () =>
    openAttempt(ctx, {
      executionId: plan.executionId,
      attempt: attempt.attempt,
      provider: attempt.provider,
      model: attempt.model,
      input: inputOf(work, attempt),
      leads: attempt.overtaken === null,
    }),
  );
  const held: Ran = { ...NOT_RAN, isReserved: true };
  if (!isOpen) return { ...held, class: "cancelled", message: "cancelled before it began" };

  const begun = await begin(work, attempt);
  if (begun === null) {
    await end(work, attempt, null);
    return { ...held, class: "host-lost", message: `${attempt.provider} did not answer when it was asked to begin` };
  }
  if ("notBegun" in begun) {
    return { ...held, message: begun.notBegun, error: vibeError("PROVIDER_UNAVAILABLE", begun.notBegun) };
  }
  const result = begun.result ?? (await follow(work, attempt, begun));
  await steps.do(at("collect"), "durable", async () => {
    await keepCollected(ctx, {
      executionId: plan.executionId,
      attempt: attempt.attempt,
      externalId: begun.externalId,
      baseCommit: result.baseCommit ?? result.change?.baseCommit ?? null,
      cliVersion: result.cliVersion,
      change: result.change === null ? null : JSON.stringify(result.change),
      summary: result.summary,
      usage: result.usage,
    });
    return true;
  });
  // A driver's word is not taken for it: without a change there is no success.
  const isEmpty = result.class === "change" && (result.change === null || result.change.text.trim() === "");
  return {
    ...held,
    class: isEmpty ? "empty-diff" : result.class,
    message: isEmpty ? "it ended well and changed nothing" : result.message,
    retryAfterMs: result.retryAfterMs,
    usage: result.usage,
    hasChange: result.class === "change" && !isEmpty,
  };

  /** Ends the run where nothing more is expected of it. Best effort: what cannot be reached ends by its own bounds. */
  async function end(of: Work, ended: Attempt, externalId: string | null): Promise<void> {
    try {
      await steps.do(at("end"), "brief", async () => {
        const spoken = await speak(of, ended);
        if (typeof spoken !== "string") await spoken.driver.cancel(ctx, spoken.run, externalId);
        return true;
      });
    } catch (error) {
      ctx.log.warn("a run could not be ended", { executionId: plan.executionId, attempt: ended.attempt, error });
    }
  }

  /** Asks the provider to begin. Only the first ask may start something; null where none was answered. */
  async function begin(of: Work, asked: Attempt): Promise<Begun | NotBegun | null> {
    for (let ask = 1; ask <= MAX_BEGINS; ask += 1) {
      try {
        return await steps.do(at(`begin ${ask}`), "once", async () => {
          const spoken = await speak(of, asked);
          if (typeof spoken === "string") return refusedBegin("auth", spoken);
          const isFirst = await markAsked(ctx, plan.executionId, asked.attempt);
          const answer = await begunBy(spoken, !isFirst);
          if ("notBegun" in answer || answer.result === null) return answer;
          return { ...answer, result: cleaned(of, answer.result) };
        });
      } catch (error) {
        ctx.log.warn("a provider gave no answer", { executionId: plan.executionId, attempt: asked.attempt, error });
        if (ask < MAX_BEGINS) await steps.sleep(at(`before begin ${ask + 1}`), BEGIN_AGAIN_MS * ask);
      }
    }
    return null;
  }

  async function begunBy({ driver, run }: { driver: ProviderDriver; run: ProviderRun }, isAgain: boolean) {
    try {
      return await driver.begin(ctx, run, isAgain);
    } catch (error) {
      // Told as an answer: what a step throws has lost its class.
      if (error instanceof NotBegunError) return { notBegun: error.message };
      throw error;
    }
  }

  /** Looks at the run until it is over, and asks people what it asks. */
  async function follow(of: Work, followed: Attempt, from: Begun): Promise<ProviderResult> {
    const { externalId } = from;
    let deadline = await steps.do(at("begun"), "durable", async () => {
      await keepExternalId(ctx, plan.executionId, followed.attempt, externalId);
      return ctx.now().getTime() + plan.timeoutMs + GRACE_MS;
    });
    let { cursor } = from;
    for (let look = 1; look <= MAX_LOOKS; look += 1) {
      let seen: Seen;
      try {
        seen = await steps.do(at(`look ${look}`), "brief", () =>
          lookAt(of, followed, { externalId, cursor }, deadline),
        );
      } catch (error) {
        ctx.log.error("a run is out of reach", { executionId: plan.executionId, attempt: followed.attempt, error });
        await end(of, followed, externalId);
        return resultOf("host-lost", `${followed.provider} could not be reached any more`);
      }
      if (seen.done) return seen.result;
      if (seen.ends !== null) {
        await end(of, followed, externalId);
        const last = await lastWords(of, followed, { externalId, cursor: seen.cursor });
        return { ...last, class: seen.ends, message: ENDS[seen.ends], change: null };
      }
      ({ cursor } = seen);
      if (seen.question) {
        const { kind, text } = seen.question;
        const { status, answer } = await askPeople(of, {
          id: `${plan.executionId}.${followed.attempt}.${look}`,
          kind,
          question: text,
          options: kind === "plan-approval" ? ["approve", "reject"] : [],
          overtaken: followed.overtaken,
        });
        if (answer === null || (kind === "plan-approval" && answer === "reject")) {
          await end(of, followed, externalId);
          if (status === "unanswered") return resultOf("timeout", "nobody answered what it asked in time");
          return resultOf("cancelled", status === "ended" ? ENDS.cancelled : "its plan was rejected");
        }
        const answeredAt = await steps.do(at(`answer ${look}`), "durable", async () => {
          const spoken = await speak(of, followed);
          if (typeof spoken !== "string") await spoken.driver.answer?.(ctx, spoken.run, externalId, kind, answer);
          return ctx.now().getTime();
        });
        // How long people took is not the provider's time.
        deadline += answeredAt - seen.at;
      } else if (seen.waitMs > 0) await steps.wait(at(`after look ${look}`), seen.waitMs, NEWS_EVENT);
    }
    await end(of, followed, externalId);
    return resultOf("timeout", ENDS.timeout);
  }

  /** What a run that was ended had used by then: it is billed as far as it went. */
  async function lastWords(of: Work, ended: Attempt, begunAs: Pick<Begun, "externalId" | "cursor">) {
    try {
      return await steps.do(at("last look"), "brief", async () => {
        const spoken = await speak(of, ended);
        if (typeof spoken === "string") return resultOf("cancelled", spoken);
        const polled = await spoken.driver.poll(ctx, spoken.run, begunAs);
        return polled.done ? cleaned(of, polled.result) : resultOf("cancelled", "it was told to end");
      });
    } catch (error) {
      ctx.log.warn("what an ended run used is not known", { executionId: plan.executionId, error });
      return resultOf("cancelled", "it was told to end");
    }
  }

  /** Whom to speak to, with the key as it is now; a text where that cannot be. */
  async function speak(
    of: Work,
    spokenTo: Attempt,
  ): Promise<{ driver: ProviderDriver; run: ProviderRun } | "no key" | "no driver"> {
    const provider = await parts.definitionOf(ctx, spokenTo.provider);
    const driver = provider === null ? null : parts.driverOf(provider);
    if (provider === null || driver === null) return "no driver";
    if (lacksSecret(ctx.env, provider.name)) return "no key";
    return { driver, run: runOf(of, spokenTo, provider, secretOf(ctx.env, provider.name) ?? "") };
  }

  async function lookAt(
    of: Work,
    seenOf: Attempt,
    begunAs: Pick<Begun, "externalId" | "cursor">,
    deadline: number,
  ): Promise<Seen> {
    const until = ctx.now().getTime() + LOOK_MS;
    let { cursor } = begunAs;
    for (;;) {
      const spoken = await speak(of, seenOf);
      if (typeof spoken === "string") return { done: true, result: resultOf("auth", spoken) };
      const from = { externalId: begunAs.externalId, cursor };
      // Who has lost is not kept waiting for what it says next.
      const polled = await Promise.race([spoken.driver.poll(ctx, spoken.run, from), lostOf(seenOf, cursor)]);
      if (polled.done) return { done: true, result: cleaned(of, polled.result) };
      ({ cursor } = polled);
      const now = ctx.now().getTime();
      const isLost = seenOf.overtaken?.isSet ?? false;
      const ends = isLost || (await isStopped(ctx, plan.executionId)) ? "cancelled" : null;
      const isLate = now > deadline;
      if (ends !== null || isLate || polled.question || polled.waitMs > 0 || now >= until) {
        return { ...polled, cursor, at: now, ends: ends ?? (isLate && !polled.question ? "timeout" : null) };
      }
    }
  }
}

/** Settles when another was first. */
async function lostOf({ overtaken }: Attempt, cursor: string): Promise<Polled> {
  await (overtaken?.promise ?? new Promise<never>(() => undefined));
  return { done: false, cursor, waitMs: 0 };
}

/** Why nothing was started: it is not the run's turn yet. */
type NotBegun = { notBegun: string };

const ENDS = { cancelled: "it was told to end", timeout: "it took longer than it may" } as const;

type Seen =
  | { done: true; result: ProviderResult }
  | (Extract<Polled, { done: false }> & {
      /** When it was looked at, in milliseconds since 1970. */
      at: number;
      /** Why it is to be ended from here. */
      ends: keyof typeof ENDS | null;
    });

const resultOf = (runClass: RunClass, message: string, usage: Usage = NO_USAGE): ProviderResult => ({
  class: runClass,
  message,
  retryAfterMs: null,
  change: null,
  usage,
  summary: null,
  cliVersion: null,
  baseCommit: null,
});

const refusedBegin = (runClass: RunClass, message: string): Begun => ({
  externalId: null,
  cursor: "0",
  result: resultOf(runClass, message),
});

/** A result without any secret of the environment, and within bounds. A change that holds a secret is none. */
function cleaned({ ctx }: Work, result: ProviderResult): ProviderResult {
  const secrets = allSecrets(ctx.env).filter((secret) => secret.length >= 8);
  const redact = redactor(secrets);
  const { change } = result;
  const told: ProviderResult = {
    ...result,
    message: redact(result.message).slice(0, 2_000).toWellFormed(),
    summary: result.summary === null ? null : redact(result.summary).slice(0, 20_000).toWellFormed(),
  };
  if (change === null) return told;
  if (secrets.some((secret) => change.text.includes(secret))) {
    return { ...told, class: "key-printed", message: "a secret stands in its change", change: null };
  }
  if (new TextEncoder().encode(change.text).byteLength > MAX_CHANGE_BYTES) {
    return { ...told, class: "diff-refused", message: `its change is over ${MAX_CHANGE_BYTES} bytes`, change: null };
  }
  return told;
}

async function reserve({ ctx, parts, plan }: Work, { attempt, provider }: Attempt) {
  const definition = await parts.definitionOf(ctx, provider);
  if (definition === null || parts.driverOf(definition) === null) {
    return {
      ok: false as const,
      code: "PROVIDER_UNAVAILABLE" as const,
      why: `${provider} is not in use here`,
      until: null,
    };
  }
  return parts.providerState(ctx.env).reserve({
    executionId: plan.executionId,
    attempt,
    provider,
    orderId: plan.order.id,
    costUsd: reservedUsd(definition, plan.maxCostUsd),
    units: definition.cost.kind === "quota" ? 1 : 0,
    maxOrderUsd: plan.maxOrderUsd,
  });
}

const reservedUsd = ({ cost }: ProviderDefinition, max: number | null): number =>
  cost.kind === "quota" ? 0 : Math.min(cost.typicalUsd, max ?? Number.POSITIVE_INFINITY);

/** What the attempt can be made again from. */
const inputOf = ({ plan, head }: Work, { prompt }: Attempt): object => ({
  prompt,
  head,
  timeoutMs: plan.timeoutMs,
  maxCostUsd: plan.maxCostUsd,
  approvePlan: plan.approvePlan,
  repository: plan.repository,
  branch: plan.branch,
});

/** What an attempt cost: as its provider says, else by its tokens; null where neither is known. */
export function costOf({ cost }: ProviderDefinition, usage: Usage): number | null {
  if (usage.costUsd !== null) return usage.costUsd;
  if (cost.kind === "quota" || (usage.inputTokens === null && usage.outputTokens === null)) return null;
  const million = 1_000_000;
  return (
    ((usage.inputTokens ?? 0) * cost.inputUsdPerMillion + (usage.outputTokens ?? 0) * cost.outputUsdPerMillion) /
    million
  );
}
