import { z } from "zod";
import { type Answer, halves, type Protocol, retryAfter, sse } from "./protocol.ts";

const ContentSchema = z.looseObject({ role: z.string().optional(), parts: z.array(z.looseObject({})).optional() });
const DeclarationSchema = z.looseObject({
  name: z.string(),
});
const RequestSchema = z.looseObject({
  contents: z.union([z.array(ContentSchema).min(1), ContentSchema]),
  systemInstruction: z.unknown().optional(),
  tools: z.array(z.looseObject({ functionDeclarations: z.array(DeclarationSchema).optional() })).optional(),
});

const METHODS: Record<string, { stream: boolean; counts: boolean }> = {
  generateContent: { stream: false, counts: false },
  streamGenerateContent: { stream: true, counts: false },
  countTokens: { stream: false, counts: true },
};

const STATUSES: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};

const usageOf = ({ usage: { input, output } }: Answer) => ({
  promptTokenCount: input,
  candidatesTokenCount: output,
  totalTokenCount: input + output,
});
const callsOf = (answer: Answer) =>
  answer.calls.map(({ id, name, input }) => ({ functionCall: { id: `call_${id}`, name, args: input } }));

const chunk = (answer: Answer, parts: object[], finishReason?: "STOP") => ({
  candidates: [
    { index: 0, content: { role: "model", parts }, ...(finishReason === undefined ? {} : { finishReason }) },
  ],
  usageMetadata: usageOf(answer),
  modelVersion: answer.model,
  responseId: answer.id,
});

const errorBody = (code: number, message: string, details?: object[]) => ({
  error: { code, message, status: STATUSES[code] ?? "UNKNOWN", ...(details ? { details } : {}) },
});
const type = (name: string) => ({ "@type": `type.googleapis.com/google.rpc.${name}` });

/** Google's Gemini API, as the gemini CLI speaks it. */
export const gemini: Protocol = {
  name: "gemini",
  match(method, path) {
    const [, model, name = ""] = /\/models\/([^/:]+):(\w+)$/.exec(path) ?? [];
    const known = METHODS[name];
    return method === "POST" && model !== undefined && known ? { model: decodeURIComponent(model), ...known } : null;
  },
  keyOf: (headers, url) =>
    typeof headers["x-goog-api-key"] === "string" ? headers["x-goog-api-key"] : url.searchParams.get("key"),
  read(body, { model, stream }) {
    const parsed = RequestSchema.safeParse(body);
    if (!parsed.success) return { error: z.prettifyError(parsed.error) };
    const { contents, systemInstruction, tools } = parsed.data;
    return {
      model: model ?? "",
      stream: stream === true,
      tools: (tools ?? []).flatMap(({ functionDeclarations = [] }) =>
        functionDeclarations.map(({ name }) => ({ name, kind: "function" as const })),
      ),
      text: JSON.stringify([systemInstruction, contents]),
    };
  },
  json: (answer) =>
    chunk(answer, [...(answer.text === null ? [] : [{ text: answer.text }]), ...callsOf(answer)], "STOP"),
  events(answer) {
    const texts = halves(answer.text ?? "").map((text) => sse(chunk(answer, [{ text }])));
    const calls = callsOf(answer);
    const events = [...texts, ...(calls.length > 0 ? [sse(chunk(answer, calls))] : []), sse(chunk(answer, [], "STOP"))];
    return { events, from: texts.length > 0 ? 1 : 0 };
  },
  refusal(refusal) {
    if (refusal.kind === "rate-limit") {
      const { retryAfterSeconds } = refusal;
      return {
        status: 429,
        headers: retryAfter(retryAfterSeconds),
        body: errorBody(
          429,
          "Resource has been exhausted (e.g. check quota).",
          retryAfterSeconds === null ? [] : [{ ...type("RetryInfo"), retryDelay: `${retryAfterSeconds}s` }],
        ),
      };
    }
    if (refusal.kind === "quota") {
      return {
        status: 429,
        headers: {},
        body: errorBody(429, "You exceeded your current quota, please check your plan and billing details.", [
          {
            ...type("QuotaFailure"),
            violations: [
              {
                quotaMetric: "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
              },
            ],
          },
        ]),
      };
    }
    // An unknown key is a bad argument to this API.
    if (refusal.kind === "bad-key") {
      return {
        status: 400,
        headers: {},
        body: errorBody(400, "API key not valid. Please pass a valid API key.", [
          { ...type("ErrorInfo"), reason: "API_KEY_INVALID", domain: "googleapis.com" },
        ]),
      };
    }
    const { status, message } = refusal;
    return { status, headers: {}, body: errorBody(status, message) };
  },
};
