import { NO_USAGE, type ProviderDefinition, type RunClass, type Usage } from "@shared/contracts";
import type { ModelMessage } from "ai";
import type { ServiceContext } from "../../../context.ts";
import { oneLine, redacted } from "../../../integrations/foreignAnswer.ts";
import { MAX_CHANGE_BYTES, type ProviderDriver, type ProviderResult, type ProviderRun } from "../driver.ts";
import { importChange } from "../importChange.ts";
import type { ModelAnswer } from "./askModel.ts";
import { formatOf, INSTRUCTIONS, questionOf, repairOf } from "./question.ts";
import { scopedFiles } from "./scopedFiles.ts";

/** Workers AI answers with 256 where nothing is said. */
const MAX_OUTPUT_TOKENS = 16_384;
/** An answer shorter than this holds no change. */
const MIN_OUTPUT_TOKENS = 512;
/** Characters a token has at least, as source code goes: what a question costs is not known before it is asked. */
const CHARACTERS_PER_TOKEN = 3;
const PROBE_TIMEOUT_MS = 20_000;

/** The SDK takes some 70 ms to be evaluated: not at every start of the Worker, but where a model is asked. */
const models = () => import("./askModel.ts");

/**
 * Models without tools: Workers AI by its binding, and whatever AI Gateway leads to. They are given the files a task may
 * edit and answer at once, with SEARCH/REPLACE blocks or whole files. An answer that cannot be placed is sent back once,
 * with the reason. Nothing is applied here.
 */
export const modelDriver: ProviderDriver = {
  async begin(ctx, run, isAgain) {
    // A question has no name under which it could be found again: it is not paid for twice.
    const result = isAgain
      ? resultOf("host-lost", "it is not known what came of the question, and it is not asked again")
      : await answered(ctx, run);
    return { externalId: null, cursor: "", result };
  },
  poll: async () => ({ done: true, result: resultOf("host-lost", "what the model answered was lost") }),
  cancel: async () => undefined,
  // A question, if a short one: its tokens are paid for.
  probeIsFree: false,
  async probe(ctx, provider, apiKey) {
    const { askModel, modelOf } = await models();
    const found = modelOf(ctx.env, provider, provider.default_model, apiKey);
    if (!found.ok) return { state: "failing", class: found.class, message: found.message };
    const answer = await askModel({
      model: found.model,
      system: "Answer with one word.",
      messages: [{ role: "user", content: "Say ready." }],
      maxOutputTokens: 16,
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      now: ctx.now(),
      apiKey,
    });
    return answer.ok
      ? { state: "ok", class: null, message: `${provider.default_model} answers` }
      : { state: "failing", class: answer.class, message: answer.message };
  },
};

async function answered(ctx: ServiceContext, run: ProviderRun): Promise<ProviderResult> {
  const { askModel, modelOf } = await models();
  const found = modelOf(ctx.env, run.provider, run.model, run.apiKey);
  if (!found.ok) return resultOf(found.class, found.message);
  const scoped = await scopedFiles(ctx, run);
  // Not thrown: begun again, it would look as if the question had been asked.
  if (!scoped.ok) return resultOf("host-lost", oneLine(`the files could not be read: ${scoped.error.message}`));
  const messages: ModelMessage[] = [{ role: "user", content: questionOf(run.task, run.prompt, scoped) }];
  const signal = AbortSignal.timeout(run.timeoutMs);
  let usage: Usage = NO_USAGE;

  for (let turn = 1; ; turn += 1) {
    const maxOutputTokens = affordable(run, messages, usage);
    if (maxOutputTokens < MIN_OUTPUT_TOKENS) {
      return { ...resultOf("agent-error", "the question would cost more than the run may"), usage };
    }
    const answer = await askModel({
      model: found.model,
      system: INSTRUCTIONS,
      messages,
      maxOutputTokens,
      signal,
      now: ctx.now(),
      apiKey: run.apiKey,
    });
    if (!answer.ok) {
      return { ...resultOf(answer.class, answer.message), retryAfterMs: answer.retryAfterMs, usage };
    }
    usage = added(usage, answer, run.provider);
    const read = await readAnswer(ctx, run, answer.text);
    if (read.repair === null || turn === 2) return { ...read.result, usage };
    messages.push({ role: "assistant", content: answer.text }, { role: "user", content: repairOf(read.repair) });
  }
}

/** What an answer comes to; `repair` says what is wrong with one that the model may correct. */
async function readAnswer(
  ctx: ServiceContext,
  run: ProviderRun,
  text: string,
): Promise<{ result: ProviderResult; repair: string | null }> {
  const summary = redacted(text, run.apiKey).slice(0, 2_000).toWellFormed().trim() || null;
  const over = (kind: RunClass, message: string, repair: string | null = null) => ({
    result: { ...resultOf(kind, message), summary },
    repair,
  });
  if (text.trim() === "") return over("empty-diff", "the model answered nothing");
  if (run.apiKey !== "" && text.includes(run.apiKey)) return over("key-printed", "the key stood in the answer");
  if (Buffer.byteLength(text) > MAX_CHANGE_BYTES) {
    return over("diff-refused", `the answer has more than ${MAX_CHANGE_BYTES} bytes`);
  }
  if (/^\s*NO CHANGE\.?\s*$/.test(text)) return over("empty-diff", "the model finds nothing to change");
  const format = formatOf(text);
  if (format === null) {
    return over("empty-diff", "the model answered without a change", "it holds no SEARCH/REPLACE block");
  }
  const change = { format, text };
  const read = await importChange(ctx, { workspaceId: run.workspaceId, change });
  const result = { ...resultOf("change", "the model answered with a change"), change, summary: null };
  // An engine that is away is no fault of the answer, which is paid for.
  if (read.ok || read.error.retryable) return { result, repair: null };
  // Given on as it is where it stays so: the import refuses it, and says why.
  return { result, repair: oneLine(`${read.error.code}: ${read.error.message}`) };
}

/** How many tokens an answer may have without the run costing more than it may. */
function affordable(run: ProviderRun, messages: readonly ModelMessage[], usage: Usage): number {
  const { cost } = run.provider;
  if (run.maxCostUsd === null || cost.kind !== "tokens" || cost.outputUsdPerMillion === 0) return MAX_OUTPUT_TOKENS;
  const characters = INSTRUCTIONS.length + messages.reduce((sum, { content }) => sum + content.length, 0);
  const question = (characters / CHARACTERS_PER_TOKEN / 1e6) * cost.inputUsdPerMillion;
  const left = run.maxCostUsd - (usage.costUsd ?? 0) - question;
  return Math.min(MAX_OUTPUT_TOKENS, Math.floor((left / cost.outputUsdPerMillion) * 1e6));
}

const sum = (a: number | null, b: number | null): number | null => (b === null ? a : (a ?? 0) + b);

/** Both turns together. What was not counted stays null, and with it the cost. */
function added(usage: Usage, answer: ModelAnswer, { cost }: ProviderDefinition): Usage {
  const inputTokens = sum(usage.inputTokens, answer.inputTokens);
  const outputTokens = sum(usage.outputTokens, answer.outputTokens);
  const isPriced = cost.kind === "tokens" && inputTokens !== null && outputTokens !== null;
  return {
    inputTokens,
    outputTokens,
    cachedTokens: sum(usage.cachedTokens, answer.cachedTokens),
    costUsd: isPriced
      ? (inputTokens * cost.inputUsdPerMillion + outputTokens * cost.outputUsdPerMillion) / 1e6
      : usage.costUsd,
  };
}

const resultOf = (kind: RunClass, message: string): ProviderResult => ({
  class: kind,
  message,
  retryAfterMs: null,
  change: null,
  usage: NO_USAGE,
  summary: null,
  cliVersion: null,
  baseCommit: null,
});
