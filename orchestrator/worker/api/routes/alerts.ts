import {
  AlertDeliverySchema,
  AlertSchema,
  AlertWebhookSchema,
  ChangeWebhookSchema,
  CreateWebhookSchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { changeWebhook } from "../../services/alerts/changeWebhook.ts";
import { createWebhook } from "../../services/alerts/createWebhook.ts";
import { deleteWebhook } from "../../services/alerts/deleteWebhook.ts";
import { listAlerts, ListAlertsSchema } from "../../services/alerts/listAlerts.ts";
import { listDeliveries, ListDeliveriesSchema } from "../../services/alerts/listDeliveries.ts";
import { getWebhook, listWebhooks } from "../../services/alerts/listWebhooks.ts";
import { resendDelivery } from "../../services/alerts/resendDelivery.ts";
import { resolveAlert } from "../../services/alerts/resolveAlert.ts";
import { rotateSecret } from "../../services/alerts/rotateSecret.ts";
import { testWebhook } from "../../services/alerts/testWebhook.ts";
import { KeysetSchema } from "../../services/keyset.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const cursor = z.string().nullable();
const tag = "Alerts";
const webhookAnswer = { name: "AlertWebhookAnswer", schema: z.object({ ok, webhook: AlertWebhookSchema }) };
const secretAnswer = {
  name: "AlertWebhookMade",
  schema: z.object({ ok, webhook: AlertWebhookSchema, secret: z.string() }),
};
const deliveryAnswer = { name: "AlertDeliveryAnswer", schema: z.object({ ok, delivery: AlertDeliverySchema }) };

export function alertRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/alerts",
      scope: "alerts:read",
      tag,
      summary: "Alerts, the newest first",
      query: ListAlertsSchema,
      response: { name: "Alerts", schema: z.object({ ok, alerts: z.array(AlertSchema), cursor }) },
    },
    async (c, ctx, { query }) => respond(c, await listAlerts(ctx, query)),
  );
  webhookRoutes(app);
  deliveryRoutes(app);
  route(
    app,
    {
      method: "post",
      path: "/api/alerts/{id}/resolve",
      scope: "alerts:write",
      tag,
      summary: "Close an alert; its cause may raise a new one",
      response: { name: "AlertResolved", schema: z.object({ ok, alert: AlertSchema.nullable() }) },
    },
    async (c, ctx, { params }) => respond(c, await resolveAlert(ctx, { id: params.id ?? "" })),
  );
}

function webhookRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/alerts/webhooks",
      scope: "alerts:write",
      tag,
      summary: "Make a webhook; its secret is told this once",
      body: { name: "CreateWebhook", schema: CreateWebhookSchema },
      status: 201,
      response: secretAnswer,
    },
    async (c, ctx, { body }) => respond(c, await createWebhook(ctx, body), 201),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/alerts/webhooks",
      scope: "alerts:read",
      tag,
      summary: "The webhooks and how they fare",
      query: KeysetSchema,
      response: { name: "AlertWebhooks", schema: z.object({ ok, webhooks: z.array(AlertWebhookSchema), cursor }) },
    },
    async (c, ctx, { query }) => respond(c, await listWebhooks(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/alerts/webhooks/{id}",
      scope: "alerts:read",
      tag,
      summary: "One webhook",
      response: webhookAnswer,
    },
    async (c, ctx, { params }) => respond(c, await getWebhook(ctx, { id: params.id ?? "" })),
  );
  route(
    app,
    {
      method: "patch",
      path: "/api/alerts/webhooks/{id}",
      scope: "alerts:write",
      tag,
      summary: "Change a webhook, or put it to work again",
      body: { name: "ChangeWebhook", schema: ChangeWebhookSchema },
      response: webhookAnswer,
    },
    async (c, ctx, { params, body }) => respond(c, await changeWebhook(ctx, { id: params.id ?? "" }, body)),
  );
  route(
    app,
    {
      method: "delete",
      path: "/api/alerts/webhooks/{id}",
      scope: "alerts:write",
      tag,
      summary: "Delete a webhook with its secrets",
      response: { name: "AlertWebhookDeleted", schema: z.object({ ok, id: z.string() }) },
    },
    async (c, ctx, { params }) => respond(c, await deleteWebhook(ctx, { id: params.id ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/alerts/webhooks/{id}/rotate",
      scope: "alerts:write",
      tag,
      summary: "Give a webhook a new secret; the one before signs beside it for a day",
      response: secretAnswer,
    },
    async (c, ctx, { params }) => respond(c, await rotateSecret(ctx, { id: params.id ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/alerts/webhooks/{id}/test",
      scope: "alerts:write",
      tag,
      summary: "Send a webhook a test message",
      response: deliveryAnswer,
    },
    async (c, ctx, { params }) => respond(c, await testWebhook(ctx, { id: params.id ?? "" })),
  );
}

function deliveryRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/alerts/webhooks/{id}/deliveries",
      scope: "alerts:read",
      tag,
      summary: "What a webhook was sent and is to be sent, the newest first",
      query: ListDeliveriesSchema,
      response: { name: "AlertDeliveries", schema: z.object({ ok, deliveries: z.array(AlertDeliverySchema), cursor }) },
    },
    async (c, ctx, { params, query }) => respond(c, await listDeliveries(ctx, { id: params.id ?? "" }, query)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/alerts/deliveries/{id}/resend",
      scope: "alerts:write",
      tag,
      summary: "Send a delivery once more, under the same id",
      response: deliveryAnswer,
    },
    async (c, ctx, { params }) => respond(c, await resendDelivery(ctx, { id: params.id ?? "" })),
  );
}
