import {
  type Alert,
  ALERT_MESSAGE,
  AlertSchema,
  type CustodyRecord,
  CustodyRecordSchema,
  fail,
  type HubConnected,
  JsonObjectSchema,
  type JsonObject,
  type Result,
  VibeErrorSchema,
} from "@shared/contracts";
import { z } from "zod";

export interface StreamFrame {
  offset: number;
  prev?: number | undefined;
  /** A failure where this client does not know what stands there, as a newer server may send. */
  payload: z.ZodSafeParseResult<CustodyRecord> | z.ZodSafeParseResult<Alert>;
}
export interface HubAnswer {
  /** Null: the server could not tell which request it answers. */
  requestId: string | null;
  result: Result<{ data: JsonObject }>;
}
type Frame =
  | { kind: "message"; message: StreamFrame }
  | { kind: "connected"; connected: HubConnected }
  | { kind: "presence"; count: number }
  | { kind: "answer"; answer: HubAnswer };

const MessageSchema = z.object({
  type: z.string(),
  offset: z.number(),
  prev: z.number().optional(),
  payload: z.unknown(),
});
const OtherSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("connected"),
    room: z.string(),
    epoch: z.string(),
    offset: z.number(),
    recovered: z.boolean(),
    present: z.number().int().default(0),
    ts: z.string(),
  }),
  z.object({ type: z.literal("presence"), count: z.number().int() }),
  z.object({ type: z.literal("accepted"), requestId: z.string(), data: JsonObjectSchema }),
  VibeErrorSchema.pick({ code: true, message: true, retryable: true, findings: true }).extend({
    type: z.literal("error"),
    requestId: z.string().nullable(),
  }),
]);
const PayloadSchema = z.object({ payload: z.unknown().optional() });

/** What the server sent, as docs/realtime.md has it. Throws on what is not in there. */
export function readFrame(text: string): Frame {
  const json: unknown = JSON.parse(text);
  if (PayloadSchema.parse(json).payload !== undefined) {
    const { type, payload, ...place } = MessageSchema.parse(json);
    const schema = type === ALERT_MESSAGE ? AlertSchema : CustodyRecordSchema;
    return { kind: "message", message: { ...place, payload: schema.safeParse(payload) } };
  }
  const frame = OtherSchema.parse(json);
  switch (frame.type) {
    case "connected":
      return { kind: "connected", connected: frame };
    case "presence":
      return { kind: "presence", count: frame.count };
    case "accepted":
      return { kind: "answer", answer: { requestId: frame.requestId, result: { ok: true, data: frame.data } } };
    case "error": {
      const { requestId, code, message, retryable, findings } = frame;
      const result = fail(code, message, { retryable, ...(findings === undefined ? {} : { findings }) });
      return { kind: "answer", answer: { requestId, result } };
    }
  }
}
