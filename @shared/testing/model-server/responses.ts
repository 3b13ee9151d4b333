import { z } from "zod";
import { openaiRefusal } from "./openaiRefusal.ts";
import { type Answer, bearerOf, halves, type Protocol, sse } from "./protocol.ts";
import type { DeclaredTool, ToolCall } from "./toolCalls.ts";

const ToolSchema = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
});
const RequestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.looseObject({})).min(1)]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  tools: z.array(ToolSchema).nullish(),
});

const declared = (tools: readonly z.infer<typeof ToolSchema>[]): DeclaredTool[] =>
  tools.flatMap(({ type, name }): DeclaredTool[] =>
    name !== undefined && (type === "function" || type === "custom") ? [{ name, kind: type }] : [],
  );

const usageOf = ({ usage: { input, output } }: Answer) => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + output,
});

const callItem = ({ id, name, kind, input }: ToolCall) =>
  kind === "custom"
    ? {
        type: "custom_tool_call",
        id: `ctc_${id}`,
        call_id: `call_${id}`,
        name,
        input: String(input.input),
        status: "completed",
      }
    : {
        type: "function_call",
        id: `fc_${id}`,
        call_id: `call_${id}`,
        name,
        arguments: JSON.stringify(input),
        status: "completed",
      };
const messageItem = (answer: Answer, text: string) => ({
  type: "message",
  id: `msg_${answer.id}`,
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [] }],
});
const itemsOf = (answer: Answer) => [
  ...(answer.text === null ? [] : [messageItem(answer, answer.text)]),
  ...answer.calls.map(callItem),
];
const responseOf = (answer: Answer, status: "in_progress" | "completed") => ({
  id: `resp_${answer.id}`,
  object: "response",
  created_at: 0,
  status,
  model: answer.model,
  output: status === "completed" ? itemsOf(answer) : [],
  error: null,
  incomplete_details: null,
  usage: status === "completed" ? usageOf(answer) : null,
});

/** OpenAI's Responses, as codex speaks it. */
export const responses: Protocol = {
  name: "responses",
  match: (method, path) =>
    method === "POST" && /(^|\/)responses$/.test(path) ? { model: null, stream: null, counts: false } : null,
  keyOf: bearerOf,
  read(body) {
    const parsed = RequestSchema.safeParse(body);
    if (!parsed.success) return { error: z.prettifyError(parsed.error) };
    const { model, stream, tools } = parsed.data;
    return {
      model,
      stream: stream === true,
      tools: declared(tools ?? []),
      text: JSON.stringify([parsed.data.instructions, parsed.data.input]),
    };
  },
  json: (answer) => responseOf(answer, "completed"),
  events(answer) {
    let sequence = 0;
    const event = (type: string, rest: object): string => sse({ type, sequence_number: sequence++, ...rest }, type);
    const events = [event("response.created", { response: responseOf(answer, "in_progress") })];
    let from = events.length;
    for (const [index, item] of itemsOf(answer).entries()) {
      events.push(
        event("response.output_item.added", { output_index: index, item: { ...item, status: "in_progress" } }),
      );
      if (item.type === "message" && answer.text !== null) {
        const place = { item_id: item.id, output_index: index, content_index: 0 };
        for (const delta of halves(answer.text)) events.push(event("response.output_text.delta", { ...place, delta }));
        from = events.length - 1;
        events.push(event("response.output_text.done", { ...place, text: answer.text }));
      }
      events.push(event("response.output_item.done", { output_index: index, item }));
    }
    events.push(event("response.completed", { response: responseOf(answer, "completed") }));
    return { events, from };
  },
  refusal: openaiRefusal,
};
