import {
  fail,
  findIllFormedString,
  type Result,
  type SocketRequest,
  SocketRequestSchema,
  validationError,
  vibeError,
  type VibeError,
} from "@shared/contracts";
import { z } from "zod";

/** What a client may send at once, in bytes of UTF-8. */
export const MAX_INBOUND_BYTES = 64 * 1024;

export const isOversize = (message: string | ArrayBuffer | ArrayBufferView): boolean =>
  typeof message === "string"
    ? message.length > MAX_INBOUND_BYTES || new TextEncoder().encode(message).byteLength > MAX_INBOUND_BYTES
    : message.byteLength > MAX_INBOUND_BYTES;

/** Confirms everything up to `offset`; not answered. */
const AckSchema = z.object({ type: z.literal("ack"), offset: z.number().int().nonnegative() });
export type Inbound = { kind: "ack"; offset: number } | { kind: "request"; request: SocketRequest };

/** Reads one frame. A refusal carries the `requestId` where one could be read, so that the client can match the answer. */
export function parseFrame(
  message: string | ArrayBuffer | ArrayBufferView,
): Result<{ inbound: Inbound }> & { requestId?: string } {
  if (typeof message !== "string") return fail("MALFORMED_JSON", "expected a text frame of JSON");
  let json: unknown;
  try {
    json = JSON.parse(message);
  } catch {
    return fail("MALFORMED_JSON", "the message is not JSON");
  }
  const ack = AckSchema.safeParse(json);
  if (ack.success) return { ok: true, inbound: { kind: "ack", offset: ack.data.offset } };

  const named = z.object({ requestId: z.string().max(100) }).safeParse(json);
  const refused = (error: VibeError) => ({
    ok: false as const,
    error,
    ...(named.success ? { requestId: named.data.requestId } : {}),
  });
  const request = SocketRequestSchema.safeParse(json);
  if (!request.success) return refused(validationError(request.error));
  if (findIllFormedString(request.data) !== null)
    return refused(vibeError("ILL_FORMED_UNICODE", "the message holds a lone surrogate"));
  return { ok: true, inbound: { kind: "request", request: request.data } };
}
