import { fail, type JsonObject, type Result, type SocketRequest, vibeError, type VibeError } from "@shared/contracts";
import { createContext } from "../../context.ts";
import { routeRequest } from "../../services/hub/routeRequest.ts";
import { isOversize, parseFrame } from "./inbound.ts";
import type { HubLimits, Subscriber } from "./Subscriber.ts";
import { actorOf } from "./subscription.ts";

/** So many refusals by the rate limit in a row, and the socket is closed. */
const MAX_REFUSALS = 100;

export interface InboundContext {
  env: Cloudflare.Env;
  room: string;
  limits: HubLimits;
  now(): number;
  mintId(): string;
  /** Called when the client has confirmed something, for it may be due more. */
  onAck(subscriber: Subscriber): void;
}

/** Answers every request with `accepted` or `error`. Resolves when it has, and never rejects. */
export async function receive(
  subscriber: Subscriber,
  message: string | ArrayBuffer | ArrayBufferView,
  context: InboundContext,
): Promise<void> {
  const { limits } = context;
  if (isOversize(message)) {
    answerError(subscriber, undefined, vibeError("BODY_TOO_LARGE", "a message is at most 64 KiB"));
    subscriber.close(1009, "message too big");
    return;
  }
  const parsed = parseFrame(message);
  if (parsed.ok && parsed.inbound.kind === "ack") {
    subscriber.acknowledge(parsed.inbound.offset);
    context.onAck(subscriber);
    return;
  }
  const requestId = parsed.ok
    ? parsed.inbound.kind === "request"
      ? parsed.inbound.request.requestId
      : undefined
    : parsed.requestId;
  if (!subscriber.bucket.take(context.now())) {
    subscriber.refused += 1;
    answerError(subscriber, requestId, vibeError("RATE_LIMITED", "too many messages; slow down"));
    if (subscriber.refused >= MAX_REFUSALS) subscriber.close(1008, "too many messages");
    return;
  }
  subscriber.refused = 0;
  if (!parsed.ok) return answerError(subscriber, requestId, parsed.error);
  if (parsed.inbound.kind !== "request") return;

  const { request } = parsed.inbound;
  const id = request.requestId ?? context.mintId();
  if (subscriber.inFlight >= limits.inFlight)
    return answerError(
      subscriber,
      id,
      vibeError("RATE_LIMITED", `${limits.inFlight} requests are still being worked on`),
    );
  subscriber.inFlight += 1;
  try {
    const answer = await route(subscriber, request, id, context);
    if (answer.ok) subscriber.send(JSON.stringify({ type: "accepted", requestId: id, data: answer.data }));
    else answerError(subscriber, id, answer.error);
  } finally {
    subscriber.inFlight -= 1;
  }
}

async function route(
  subscriber: Subscriber,
  request: SocketRequest,
  requestId: string,
  context: InboundContext,
): Promise<Result<{ data: JsonObject }>> {
  const { env, room, limits } = context;
  const ctx = createContext(env, { actor: actorOf(subscriber.state.actor) });
  try {
    return await routeRequest(ctx, {
      type: request.type,
      // A socket in an order's room speaks of that order unless it says otherwise.
      orderId: request.orderId ?? (room.startsWith("order:") ? room.slice("order:".length) : undefined),
      requestId,
      payload: request.payload ?? {},
      timeoutMs: limits.factoryMs,
    });
  } catch (error) {
    ctx.log.error("a socket's request failed", { room, type: request.type, error });
    return fail("INTERNAL", "the request failed on this side", { nothingWritten: null });
  }
}

/** An answer, not an event: it has no `offset`. `retryable` says whether the same request may succeed later. */
function answerError(subscriber: Subscriber, requestId: string | undefined, error: VibeError): void {
  const { code, message, retryable, findings } = error;
  subscriber.send(
    JSON.stringify({
      type: "error",
      requestId: requestId ?? null,
      code,
      message,
      retryable,
      ...(findings && { findings }),
    }),
  );
}
