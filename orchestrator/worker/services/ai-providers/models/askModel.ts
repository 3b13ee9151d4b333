import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { ProviderDefinition, RunClass } from "@shared/contracts";
import { APICallError, generateText, type LanguageModel, type ModelMessage } from "ai";
import { createWorkersAI } from "workers-ai-provider";
import { oneLine, redacted, retryAfterMs, saysQuota } from "../../../integrations/foreignAnswer.ts";

/** The bytes of an answer as it comes over the wire. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Workers AI is a binding that a deployment may leave out. */
export type ModelEnv = Env & { AI?: Ai };

export interface ModelAnswer {
  ok: true;
  text: string;
  inputTokens: number | null;
  outputTokens: number | null;
  cachedTokens: number | null;
}
export interface ModelRefusal {
  ok: false;
  class: RunClass;
  message: string;
  retryAfterMs: number | null;
}

const refusal = (kind: RunClass, message: string, after: number | null = null): ModelRefusal => ({
  ok: false,
  class: kind,
  message,
  retryAfterMs: after,
});

/** The model of a provider: by the binding, or at an endpoint that speaks OpenAI's Chat Completions. */
export function modelOf(
  env: ModelEnv,
  { name, api_endpoint: endpoint }: ProviderDefinition,
  model: string,
  apiKey: string,
): { ok: true; model: LanguageModel } | ModelRefusal {
  if (name === "workers-ai") {
    return env.AI
      ? { ok: true, model: createWorkersAI({ binding: env.AI })(model) }
      : refusal("not-installed", "this deployment has no Workers AI binding");
  }
  if (endpoint === null) return refusal("not-installed", "no address of an AI Gateway is configured");
  const openai = createOpenAICompatible({
    name,
    baseURL: endpoint.replace(/\/+$/, ""),
    headers: authorizationOf(endpoint, apiKey),
    fetch: boundedFetch,
  });
  return { ok: true, model: openai(model) };
}

/**
 * AI Gateway has a header of its own; `Authorization` would go through to the model's vendor as the vendor's key. What
 * else speaks Chat Completions has `Authorization` alone.
 */
export const authorizationOf = (endpoint: string, apiKey: string): Record<string, string> => ({
  [new URL(endpoint).hostname === "gateway.ai.cloudflare.com" ? "cf-aig-authorization" : "authorization"]:
    `Bearer ${apiKey}`,
});

/** Does not read on past the bound, and takes the key nowhere but where it was sent. */
const boundedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, redirect: "manual" });
  let size = 0;
  const bounded = response.body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > MAX_ANSWER_BYTES) controller.error(new Error("the answer is too large"));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(bounded ?? null, { status: response.status, headers: response.headers });
};

export interface Question {
  model: LanguageModel;
  system: string;
  messages: ModelMessage[];
  maxOutputTokens: number;
  signal: AbortSignal;
  now: Date;
  /** Never told. */
  apiKey: string;
}

/** Asks once. Never throws; what the model's service said is a class. */
export async function askModel(question: Question): Promise<ModelAnswer | ModelRefusal> {
  const { model, system, messages, maxOutputTokens, signal, now, apiKey } = question;
  try {
    const { text, usage } = await generateText({
      model,
      instructions: system,
      messages,
      maxOutputTokens,
      abortSignal: signal,
      // Whether and where to try again is decided above.
      maxRetries: 0,
    });
    return {
      ok: true,
      text,
      inputTokens: usage.inputTokens ?? null,
      outputTokens: usage.outputTokens ?? null,
      cachedTokens: usage.inputTokenDetails.cacheReadTokens ?? null,
    };
  } catch (error) {
    if (signal.aborted) return refusal("timeout", "the model did not answer in time");
    const refused = classify(error, now);
    return { ...refused, message: redacted(refused.message, apiKey) };
  }
}

function classify(error: unknown, now: Date): ModelRefusal {
  if (!APICallError.isInstance(error)) return refusal("provider-error", "the connection to the model broke");
  const { statusCode: status, responseHeaders, message: said } = error;
  // The whole body: which of two kinds of 429 it is stands in its code.
  const body = `${said} ${error.responseBody ?? ""}`;
  if (status === undefined || status < 400) return refusal("provider-error", "the connection to the model broke");
  const message = `the model's service answered ${status}: ${oneLine(said)}`;
  const after = retryAfterMs(responseHeaders?.["retry-after"], now);
  if (status === 401 || status === 403) return refusal("auth", message);
  if (status === 402) return refusal("quota", message, after);
  if (status === 429) {
    const isQuota = saysQuota(body) || /insufficient_quota|daily free allocation/i.test(body);
    return refusal(isQuota ? "quota" : "rate-limited", message, after);
  }
  if (status >= 500) return refusal("provider-error", message, after);
  return refusal(saysQuota(body) ? "quota" : "agent-error", message);
}
