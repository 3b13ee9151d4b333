import {
  type FactoryName,
  type FactoryRpc,
  fail,
  JsonObjectSchema,
  type JsonObject,
  OrderIdSchema,
  RequestMessageTypeSchema,
  type Result,
  validationError,
  VibeErrorSchema,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { findOrder } from "../order/getOrder.ts";

export interface RouteRequestInput {
  type: string;
  orderId: string | undefined;
  requestId: string;
  payload: JsonObject;
  /** How long the factory may take to answer. */
  timeoutMs: number;
}

const AnswerSchema = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), data: JsonObjectSchema }),
  z.object({ ok: z.literal(false), error: VibeErrorSchema }),
]);

/**
 * Hands a request (`WebSocketMessageRequests`) to the factory of its order and answers with what the factory said.
 * Errors: UNKNOWN_REQUEST, FORBIDDEN, VALIDATION_FAILED, NOT_FOUND, DATABASE_UNAVAILABLE, FACTORY_UNAVAILABLE, and the factory's own.
 */
export async function routeRequest(
  ctx: ServiceContext,
  input: RouteRequestInput,
): Promise<Result<{ data: JsonObject }>> {
  const type = RequestMessageTypeSchema.safeParse(input.type);
  if (!type.success) return fail("UNKNOWN_REQUEST", `no request is named ${JSON.stringify(input.type.slice(0, 100))}`);
  const denied = requireScope(ctx, "requests:write");
  if (denied) return denied;
  const orderId = z.object({ orderId: OrderIdSchema }).safeParse({ orderId: input.orderId });
  if (!orderId.success) return { ok: false, error: validationError(orderId.error) };

  // Nothing of the order is shown, so the scope for requests suffices; a confined caller is held to its workspace.
  const found = await findOrder(ctx, orderId.data.orderId).catch((error: unknown) => {
    ctx.log.error("an order could not be read", { orderId: orderId.data.orderId, error });
    return fail("DATABASE_UNAVAILABLE", "orders cannot be read at the moment; try again");
  });
  if (!found.ok) return found;
  const { order } = found;

  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("the factory did not answer in time")), input.timeoutMs);
  try {
    const request = {
      type: type.data,
      orderId: order.id,
      requestId: input.requestId,
      actor: ctx.actor.id,
      payload: input.payload,
    };
    const answer = AnswerSchema.safeParse(
      await Promise.race([factoryOf(ctx.env, order.factory).handleRequest(request), late]),
    );
    if (answer.success) return answer.data;
    ctx.log.error("a factory answered out of shape", { factory: order.factory, error: answer.error });
  } catch (error) {
    ctx.log.error("a factory did not answer", { factory: order.factory, error });
  } finally {
    clearTimeout(timer);
  }
  return fail("FACTORY_UNAVAILABLE", `${order.factory} did not answer; the request may have reached it`, {
    nothingWritten: null,
  });
}

function factoryOf(env: Env, name: FactoryName): FactoryRpc {
  const bindings: Record<FactoryName, object> = {
    "agent-factory": env.FACTORY_AGENT,
    "data-factory": env.FACTORY_DATA,
    "services-factory": env.FACTORY_SERVICES,
    "ui-factory": env.FACTORY_UI,
  };
  const binding = bindings[name];
  if (!isFactory(binding)) throw new TypeError(`the binding of ${name} is no factory`);
  return binding;
}

/** A service binding's generated type knows `fetch` alone; what it answers is checked where it is used. */
const isFactory = (binding: object): binding is FactoryRpc =>
  typeof Reflect.get(binding, "handleRequest") === "function";
