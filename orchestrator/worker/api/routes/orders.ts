import {
  CreateOrderSchema,
  CustodyRecordSchema,
  FulfilPhaseSchema,
  OrderSchema,
  StatedRoutingSchema,
  TaskSchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { createOrder } from "../../services/order/createOrder.ts";
import { fulfilPhase } from "../../services/order/fulfilPhase.ts";
import { getOrder } from "../../services/order/getOrder.ts";
import { listOrders, ListOrdersSchema } from "../../services/order/listOrders.ts";
import { listPhases, ListPhasesSchema } from "../../services/order/listPhases.ts";
import { setOrderRouting } from "../../services/order/setOrderRouting.ts";
import { setOrderStatus, SetOrderStatusSchema } from "../../services/order/setOrderStatus.ts";
import { applyAnswer, MAX_BATCH_BODY_BYTES } from "../applied.ts";
import { type App, fieldsOf, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Orders";

export function orderRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/orders",
      scope: "orders:write",
      tag,
      summary: "Place an order, with its tasks and, where a source is given, its workspace",
      body: { name: "CreateOrder", schema: CreateOrderSchema },
      // A source may be the bytes of an archive.
      maxBodyBytes: MAX_BATCH_BODY_BYTES,
      status: 201,
      response: {
        name: "OrderCreated",
        schema: z.object({ ok, order: OrderSchema, tasks: z.array(TaskSchema), created: z.boolean() }),
      },
    },
    async (c, ctx, { body }) => {
      const result = await createOrder(ctx, body);
      return respond(c, result, result.ok && result.created ? 201 : 200);
    },
  );
  route(
    app,
    {
      method: "get",
      path: "/api/orders",
      scope: "orders:read",
      tag,
      summary: "List orders, newest first",
      query: ListOrdersSchema,
      response: {
        name: "OrderList",
        schema: z.object({ ok, orders: z.array(OrderSchema), cursor: z.string().nullable() }),
      },
    },
    async (c, ctx, { query }) => respond(c, await listOrders(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/orders/{orderId}",
      scope: "orders:read",
      tag,
      summary: "An order and its tasks",
      response: { name: "OrderAnswer", schema: z.object({ ok, order: OrderSchema, tasks: z.array(TaskSchema) }) },
    },
    async (c, ctx, { params }) => respond(c, await getOrder(ctx, { orderId: params.orderId ?? "" })),
  );
  route(
    app,
    {
      method: "patch",
      path: "/api/orders/{orderId}",
      scope: "orders:write",
      tag,
      summary: "Move an order's status",
      body: { name: "SetOrderStatus", schema: SetOrderStatusSchema },
      response: { name: "OrderMoved", schema: z.object({ ok, order: OrderSchema }) },
    },
    async (c, ctx, { params, body }) =>
      respond(c, await setOrderStatus(ctx, { ...fieldsOf(body), orderId: params.orderId ?? "" })),
  );
  route(
    app,
    {
      method: "put",
      path: "/api/orders/{orderId}/routing",
      scope: "orders:write",
      tag,
      summary: "Say how an order's tasks are routed to providers",
      body: { name: "Routing", schema: StatedRoutingSchema },
      response: { name: "OrderRouted", schema: z.object({ ok, order: OrderSchema }) },
    },
    async (c, ctx, { params, body }) =>
      respond(c, await setOrderRouting(ctx, { orderId: params.orderId ?? "", routing: body })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/orders/{orderId}/phases",
      scope: "orders:read",
      tag,
      summary: "What was told of an order's phases, newest first",
      query: ListPhasesSchema,
      response: {
        name: "PhaseList",
        schema: z.object({ ok, phases: z.array(CustodyRecordSchema), cursor: z.string().nullable() }),
      },
    },
    async (c, ctx, { params, query }) => respond(c, await listPhases(ctx, params.orderId ?? "", query)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/orders/{orderId}/phases",
      scope: "orders:write",
      tag,
      summary: "Hand a phase of an order to its factory",
      body: { name: "FulfilPhase", schema: FulfilPhaseSchema.omit({ orderId: true }) },
      maxBodyBytes: MAX_BATCH_BODY_BYTES,
      response: applyAnswer,
    },
    async (c, ctx, { params, body }) =>
      respond(c, await fulfilPhase(ctx, { ...fieldsOf(body), orderId: params.orderId })),
  );
}
