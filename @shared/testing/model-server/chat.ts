import { z } from "zod";
import { openaiRefusal } from "./openaiRefusal.ts";
import { type Answer, bearerIn, bearerOf, halves, type Protocol, sse } from "./protocol.ts";

const MessageSchema = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() })), z.null()]).optional(),
});
const RequestSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(MessageSchema).min(1),
  stream: z.boolean().nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.string(),
        function: z.looseObject({ name: z.string() }).optional(),
      }),
    )
    .nullish(),
});

const usageOf = ({ usage: { input, output } }: Answer) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
});
const callsOf = (answer: Answer) =>
  answer.calls.map(({ id, name, input }) => ({
    id: `call_${id}`,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
const finish = (answer: Answer): string => (answer.calls.length > 0 ? "tool_calls" : "stop");

/** OpenAI's Chat Completions, as AI Gateway, Workers AI and Copilot's own-provider mode speak it. */
export const chat: Protocol = {
  name: "chat",
  match: (method, path) =>
    method === "POST" && /(^|\/)chat\/completions$/.test(path) ? { model: null, stream: null, counts: false } : null,
  // AI Gateway has a header of its own beside that of the model's vendor.
  keyOf: (headers) => bearerOf(headers) ?? bearerIn(headers["cf-aig-authorization"]),
  read(body) {
    const parsed = RequestSchema.safeParse(body);
    if (!parsed.success) return { error: z.prettifyError(parsed.error) };
    const { model, stream, tools, messages } = parsed.data;
    return {
      model,
      stream: stream === true,
      tools: (tools ?? []).flatMap((tool) =>
        tool.function ? [{ name: tool.function.name, kind: "function" as const }] : [],
      ),
      text: JSON.stringify(messages),
    };
  },
  json: (answer) => ({
    id: `chatcmpl-${answer.id}`,
    object: "chat.completion",
    created: 0,
    model: answer.model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: answer.text,
          ...(answer.calls.length > 0 ? { tool_calls: callsOf(answer) } : {}),
        },
        finish_reason: finish(answer),
        logprobs: null,
      },
    ],
    usage: usageOf(answer),
  }),
  events(answer) {
    const chunk = (delta: object, finishReason: string | null = null, rest: object = {}): string =>
      sse({
        id: `chatcmpl-${answer.id}`,
        object: "chat.completion.chunk",
        created: 0,
        model: answer.model,
        choices: [{ index: 0, delta, finish_reason: finishReason }],
        ...rest,
      });
    const pieces = halves(answer.text ?? "");
    const events = [
      chunk({ role: "assistant", content: "" }),
      ...pieces.map((content) => chunk({ content })),
      ...callsOf(answer).map((call, index) => chunk({ tool_calls: [{ index, ...call }] })),
      chunk({}, finish(answer), { usage: usageOf(answer) }),
      sse("[DONE]"),
    ];
    return { events, from: pieces.length === 0 ? 1 : 2 };
  },
  refusal: openaiRefusal,
};
