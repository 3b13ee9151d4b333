import { z } from "zod";
import { type Answer, halves, type Protocol, retryAfter, sse } from "./protocol.ts";

const BlocksSchema = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]);
const RequestSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.looseObject({ role: z.enum(["user", "assistant", "system"]), content: BlocksSchema })).min(1),
  system: BlocksSchema.optional(),
  max_tokens: z.number().int().positive().optional(),
  stream: z.boolean().optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
});

const usageOf = ({ usage: { input, output } }: Answer) => ({
  input_tokens: input,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: output,
});
const stopReason = (answer: Answer): string => (answer.calls.length > 0 ? "tool_use" : "end_turn");
const messageOf = (answer: Answer) => ({
  id: `msg_${answer.id}`,
  type: "message",
  role: "assistant",
  model: answer.model,
  stop_sequence: null,
  usage: usageOf(answer),
});

const TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

const event = (type: string, rest: object = {}): string => sse({ type, ...rest }, type);
const errorBody = (type: string, message: string) => ({ type: "error", error: { type, message } });

/** Anthropic's Messages, as claude speaks it. */
export const messages: Protocol = {
  name: "messages",
  match(method, path) {
    if (method !== "POST") return null;
    if (/(^|\/)messages$/.test(path)) return { model: null, stream: null, counts: false };
    return /(^|\/)messages\/count_tokens$/.test(path) ? { model: null, stream: false, counts: true } : null;
  },
  keyOf: (headers) => (typeof headers["x-api-key"] === "string" ? headers["x-api-key"] : null),
  read(body, { counts }) {
    const parsed = RequestSchema.safeParse(body);
    if (!parsed.success) return { error: z.prettifyError(parsed.error) };
    const { model, stream, tools, max_tokens: maxTokens, system, messages: turns } = parsed.data;
    if (!counts && maxTokens === undefined) return { error: "max_tokens: Field required" };
    return {
      model,
      stream: stream === true,
      tools: (tools ?? []).map(({ name }) => ({ name, kind: "function" as const })),
      text: JSON.stringify([system, turns]),
    };
  },
  json: (answer) => ({
    ...messageOf(answer),
    content: [
      ...(answer.text === null ? [] : [{ type: "text", text: answer.text }]),
      ...answer.calls.map(({ id, name, input }) => ({ type: "tool_use", id: `toolu_${id}`, name, input })),
    ],
    stop_reason: stopReason(answer),
  }),
  events(answer) {
    const events = [
      event("message_start", {
        message: {
          ...messageOf(answer),
          content: [],
          stop_reason: null,
          usage: { ...usageOf(answer), output_tokens: 1 },
        },
      }),
    ];
    let from = events.length;
    let index = 0;
    if (answer.text !== null) {
      events.push(event("content_block_start", { index, content_block: { type: "text", text: "" } }));
      for (const text of halves(answer.text)) {
        events.push(event("content_block_delta", { index, delta: { type: "text_delta", text } }));
      }
      from = events.length - 1;
      events.push(event("content_block_stop", { index }));
      index += 1;
    }
    for (const { id, name, input } of answer.calls) {
      events.push(
        event("content_block_start", {
          index,
          content_block: { type: "tool_use", id: `toolu_${id}`, name, input: {} },
        }),
        event("content_block_delta", {
          index,
          delta: { type: "input_json_delta", partial_json: JSON.stringify(input) },
        }),
        event("content_block_stop", { index }),
      );
      index += 1;
    }
    events.push(
      event("message_delta", {
        delta: { stop_reason: stopReason(answer), stop_sequence: null },
        usage: { output_tokens: answer.usage.output },
      }),
      event("message_stop"),
    );
    return { events, from };
  },
  refusal(refusal) {
    if (refusal.kind === "rate-limit") {
      const { retryAfterSeconds } = refusal;
      return {
        status: 429,
        headers: retryAfter(retryAfterSeconds),
        body: errorBody("rate_limit_error", "This request would exceed your organization's rate limit."),
      };
    }
    if (refusal.kind === "quota") {
      return {
        status: 400,
        headers: {},
        body: errorBody(
          "invalid_request_error",
          "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
        ),
      };
    }
    if (refusal.kind === "bad-key") {
      return { status: 401, headers: {}, body: errorBody("authentication_error", "invalid x-api-key") };
    }
    const { status, message } = refusal;
    return { status, headers: {}, body: errorBody(TYPES[status] ?? "api_error", message) };
  },
};
