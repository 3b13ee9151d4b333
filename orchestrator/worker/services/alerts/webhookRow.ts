import { type AlertWebhook, AlertWebhookSchema } from "@shared/contracts";
import type { Selectable } from "kysely";
import { z } from "zod";
import type { OpsDatabase } from "../../database/schema.ts";
import { type KeptSecret, SecretsSchema } from "./webhookSecret.ts";

export type WebhookRow = Selectable<OpsDatabase["alert_webhooks"]>;

export const secretsOfRow = (row: Pick<WebhookRow, "secrets">): KeptSecret[] =>
  SecretsSchema.parse(JSON.parse(row.secrets));

/** A webhook as it is shown: of its secrets only when they were made and until when they sign. */
export const webhookOfRow = (row: WebhookRow): AlertWebhook =>
  AlertWebhookSchema.parse({
    ...row,
    kinds: z.array(z.string()).parse(JSON.parse(row.kinds)),
    enabled: row.enabled === 1,
    secrets: secretsOfRow(row).map(({ created_at, expires_at }) => ({ created_at, expires_at })),
  });
