import { z } from "zod";
import { JsonObjectSchema } from "./json.ts";

/** Something a person should know, said once a cause: to the hub always, to signed webhooks where their rules ask for it. */

export const ALERT_SEVERITIES = ["info", "warning", "critical"] as const;
export const AlertSeveritySchema = z.enum(ALERT_SEVERITIES);
export type AlertSeverity = z.infer<typeof AlertSeveritySchema>;

/** What alerts are about. A rule names kinds, or all of a family as `health.*`. */
export const ALERT_KINDS = [
  "health.down",
  "health.flapping",
  "health.recovered",
  "ops.issue.filed",
  "ops.issue.returned",
  "ops.scan.failed",
  "provider.unavailable",
  "schedule.failed",
  "schedule.missed",
  "schedule.stuck",
  "webhook.disabled",
  "webhook.given_up",
  "alert.test",
] as const;
export const AlertKindSchema = z.enum(ALERT_KINDS);
export type AlertKind = z.infer<typeof AlertKindSchema>;

const KindRuleSchema = z.union([
  AlertKindSchema,
  z
    .string()
    .max(60)
    .regex(/^(?:health|ops|provider|schedule|webhook)\.\*$/),
]);

export const AlertSchema = z.object({
  id: z.string(),
  kind: AlertKindSchema,
  severity: AlertSeveritySchema,
  title: z.string(),
  text: z.string(),
  /** What caused it: while its alert is open, the same cause raises no other. */
  dedupe_key: z.string(),
  worker: z.string().nullable(),
  order_id: z.string().nullable(),
  project_id: z.string().nullable(),
  data: JsonObjectSchema,
  status: z.enum(["open", "resolved"]),
  /** How often the cause was seen, and how often it was told. */
  count: z.number().int(),
  told: z.number().int(),
  first_at: z.string(),
  last_at: z.string(),
  told_at: z.string(),
  resolved_at: z.string().nullable(),
  resolved_by: z.string().nullable(),
});
export type Alert = z.infer<typeof AlertSchema>;

/**
 * A message of the room `all` beside the custody records: an alert as it was when it was told. Who lacks `alerts:read` or is
 * confined to a workspace is not sent it.
 */
export const ALERT_MESSAGE = "alert";
export interface HubAlert {
  type: typeof ALERT_MESSAGE;
  offset: number;
  prev?: number;
  payload: Alert;
}

export const RaiseAlertSchema = z.strictObject({
  kind: AlertKindSchema,
  severity: AlertSeveritySchema,
  title: z.string().min(1).max(200),
  text: z.string().max(4_000).default(""),
  dedupeKey: z.string().min(1).max(200),
  worker: z.string().min(1).max(100).nullable().default(null),
  orderId: z.string().min(1).max(100).nullable().default(null),
  projectId: z.string().min(1).max(100).nullable().default(null),
  data: JsonObjectSchema.default({}),
  /** While it is open the same cause is told again after so long, in milliseconds. Default: a day. */
  coolDownMs: z
    .number()
    .int()
    .min(0)
    .max(30 * 86_400_000)
    .default(86_400_000),
});
export type RaiseAlertInput = z.input<typeof RaiseAlertSchema>;

/** Which alerts a webhook is sent: of these kinds (none named: all), and at least this severe. */
const rules = {
  kinds: z.array(KindRuleSchema).max(40),
  minSeverity: AlertSeveritySchema,
};
const name = z.string().min(1).max(100);
const url = z.string().min(1).max(2_000);

export const CreateWebhookSchema = z.strictObject({
  name,
  url,
  kinds: rules.kinds.default([]),
  minSeverity: rules.minSeverity.default("info"),
});
export const ChangeWebhookSchema = z.strictObject({
  name: name.optional(),
  url: url.optional(),
  kinds: rules.kinds.optional(),
  minSeverity: rules.minSeverity.optional(),
  /** True puts one that was disabled to work again. */
  enabled: z.boolean().optional(),
});

export const AlertWebhookSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  kinds: z.array(z.string()),
  min_severity: AlertSeveritySchema,
  enabled: z.boolean(),
  /** Why it was put out of work by this side; null where it was not. */
  disabled_reason: z.string().nullable(),
  /** Since when every attempt has failed. */
  failing_since: z.string().nullable(),
  last_success_at: z.string().nullable(),
  /** Secrets that sign: the newest first. Those with an end are kept until their receivers have changed over. */
  secrets: z.array(z.object({ created_at: z.string(), expires_at: z.string().nullable() })),
  created_by: z.string(),
  created_at: z.string(),
});
export type AlertWebhook = z.infer<typeof AlertWebhookSchema>;

export const DELIVERY_STATES = ["pending", "delivered", "failed", "cancelled"] as const;
export const AlertDeliverySchema = z.object({
  id: z.string(),
  webhook_id: z.string(),
  alert_id: z.string(),
  /** `webhook-id`: the same in each attempt, so that a receiver knows a message it has. */
  message_id: z.string(),
  kind: z.string(),
  status: z.enum(DELIVERY_STATES),
  attempts: z.number().int(),
  /** The last attempt's: an HTTP status, or why there is none. */
  response_status: z.number().int().nullable(),
  error: z.string().nullable(),
  duration_ms: z.number().int().nullable(),
  next_attempt_at: z.string().nullable(),
  created_at: z.string(),
  delivered_at: z.string().nullable(),
});
export type AlertDelivery = z.infer<typeof AlertDeliverySchema>;
