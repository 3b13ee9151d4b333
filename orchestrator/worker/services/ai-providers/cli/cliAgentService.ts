import { type AgentRunInfo, CliProviderSchema, NO_USAGE, type RunClass, type VibeError } from "@shared/contracts";
import type { ServiceContext } from "../../../context.ts";
import { engineAnswers, engineOf } from "../../../integrations/engine.ts";
import { agentKeys } from "../../secrets/secretService.ts";
import { askEngine } from "../../workspace/workspaceObject.ts";
import {
  type Begun,
  MAX_CHANGE_BYTES,
  NotBegunError,
  type ProviderDriver,
  type ProviderResult,
  type ProviderRun,
} from "../driver.ts";
import { recordOutput } from "../recordOutput.ts";

/** How long one look at a run listens, in milliseconds: what it says is shown as much later at most. */
const LISTEN_MS = 3_000;
/** The shortest key a host is told to take out of a run's output. */
const MIN_REDACTED = 8;

/** The host did not answer, or not in a way that says anything: the same question again may tell. */
class HostSilentError extends Error {
  constructor({ code, message }: VibeError) {
    super(`${code}: ${message}`);
    this.name = "HostSilentError";
  }
}

/**
 * Runs CLI agents at the engine host of the run's workspace. The host starts a `runId` once; a run whose host lost it is
 * `host-lost` and is not started again under its id.
 */
export const cliAgentService: ProviderDriver = {
  async begin(ctx, run, isAgain) {
    if (isAgain) {
      const found = await lookUp(ctx, run);
      return found ?? { externalId: null, cursor: "0", result: ended("host-lost", "the host does not know the run") };
    }
    const request = {
      runId: run.runId,
      provider: CliProviderSchema.parse(run.provider.name),
      model: run.model,
      prompt: run.prompt,
      orderId: run.order?.id ?? null,
      taskId: run.task.id,
      apiKey: run.apiKey,
      redact: agentKeys(ctx.env).filter((secret) => secret.length >= MIN_REDACTED && secret !== run.apiKey),
      endpoint: run.provider.api_endpoint,
      maxCostUsd: run.maxCostUsd,
      limits: { timeoutMs: run.timeoutMs, diffBytes: MAX_CHANGE_BYTES },
    };
    const started = await askEngine(ctx, run.workspaceId, (engine) => engine.startRun(run.workspaceId, request));
    if (started.ok) return begun(started.run);
    const { code, message, retryable } = started.error;
    // As many runs go on there as may, or it is about to stop: it said so, and started nothing.
    if (code === "RATE_LIMITED" || code === "SHUTTING_DOWN") throw new NotBegunError(message);
    if (retryable) throw new HostSilentError(started.error);
    return { externalId: null, cursor: "0", result: ended("agent-error", message) };
  },

  async poll(ctx, run, { cursor }) {
    const engine = engineOf(ctx.env);
    const after = Number(cursor);
    const heard = await engine.runEvents(run.workspaceId, run.runId, after, LISTEN_MS);
    if (!heard.ok) return unheard(heard.error);
    await recordOutput(ctx, run, heard.events);
    const last = heard.events.at(-1)?.seq ?? after;
    const looked = await engine.run(run.workspaceId, run.runId);
    if (!looked.ok) return unheard(looked.error);
    // What it said between the two questions is heard before its end is told.
    const isHeard = looked.run.seq <= last || heard.events.length === 0;
    return looked.run.result !== null && isHeard
      ? { done: true, result: resultOf(looked.run) }
      : { done: false, cursor: String(last), waitMs: 0 };
  },

  async cancel(ctx, run) {
    const endedRun = await engineOf(ctx.env).endRun(run.workspaceId, run.runId);
    if (!endedRun.ok && endedRun.error.retryable) throw new HostSilentError(endedRun.error);
  },

  probeIsFree: true,
  async probe(ctx) {
    // Whether a key is good only its service knows, and only a run asks it.
    const isThere = await engineAnswers(ctx.env, AbortSignal.timeout(10_000)).catch(() => false);
    return isThere
      ? { state: "ok", class: null, message: "the engine host answers" }
      : { state: "failing", class: "host-lost", message: "the engine host does not answer" };
  },
};

async function lookUp(ctx: ServiceContext, run: ProviderRun): Promise<Begun | null> {
  const found = await engineOf(ctx.env).run(run.workspaceId, run.runId);
  if (found.ok) return begun(found.run);
  if (found.error.retryable) throw new HostSilentError(found.error);
  return null;
}

const begun = (run: AgentRunInfo): Begun => ({
  externalId: run.runId,
  cursor: "0",
  // What an ended run said is still to be heard.
  result: null,
});

function unheard(error: VibeError): { done: true; result: ProviderResult } {
  if (error.retryable) throw new HostSilentError(error);
  return { done: true, result: ended("host-lost", error.message) };
}

const ended = (runClass: RunClass, message: string): ProviderResult => ({
  class: runClass,
  message,
  retryAfterMs: null,
  change: null,
  usage: NO_USAGE,
  summary: null,
  cliVersion: null,
  baseCommit: null,
});

function resultOf({ result, base, cliVersion }: AgentRunInfo): ProviderResult {
  if (result === null) return ended("host-lost", "the run has not ended");
  const baseCommit = base?.commit ?? null;
  return {
    class: result.class,
    message: result.message,
    retryAfterMs: result.retryAfterMs,
    change:
      result.class === "change" && result.diff !== null
        ? { format: "udiff", text: result.diff, ...(baseCommit === null ? {} : { baseCommit }) }
        : null,
    usage: result.usage,
    summary: result.summary,
    cliVersion,
    baseCommit,
  };
}
