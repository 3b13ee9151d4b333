import {
  type Alert,
  fail,
  RaiseAlertSchema,
  type RaiseAlertInput,
  type Result,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { redacted, redactorOf } from "../logging/redact.ts";
import { AlertRowSchema, rankOf } from "./alertRow.ts";
import { announce } from "./announce.ts";
import { requestDeliveries } from "./requestDeliveries.ts";

const MarkSchema = z.looseObject({ told_by: z.string() });

/**
 * Says that something happened which a person should know: to the hub's room `all`, and to the webhooks whose rules ask for
 * it. While the cause's alert is open the same cause says nothing new: it is counted, and told again only once its cool-down
 * is over or where it has become more severe. `told`: this call is the one that told it. Of calls at once exactly one is.
 *
 * What is to be told is stored before anything is sent; what a crash keeps from being sent, `sweepAlerts` sends. Nobody from
 * outside calls this: it asks for no scope. Never throws: work does not fail for its alert. Errors: VALIDATION_FAILED,
 * DATABASE_UNAVAILABLE.
 */
export async function raiseAlert(
  ctx: ServiceContext,
  input: RaiseAlertInput,
): Promise<Result<{ alert: Alert; told: boolean }>> {
  const parsed = RaiseAlertSchema.safeParse(input);
  if (!parsed.success) {
    ctx.log.error("an alert was not raised", { kind: input.kind, error: parsed.error });
    return { ok: false, error: validationError(parsed.error) };
  }
  const wanted = parsed.data;
  const redact = redactorOf(ctx.env);
  const now = ctx.now();
  const mark = ctx.mintId();
  const database = ctx.env.DB_OPS;
  let rows: unknown[];
  let deliveries: string[];
  try {
    const [raised, made] = await database.batch<Record<string, unknown>>([
      database
        .prepare(RAISE)
        .bind(
          ctx.mintId(),
          wanted.kind,
          wanted.severity,
          redact(wanted.title),
          redact(wanted.text),
          wanted.dedupeKey,
          wanted.worker,
          wanted.orderId,
          wanted.projectId,
          JSON.stringify(redacted(ctx.env, wanted.data)),
          now.toISOString(),
          mark,
          new Date(now.getTime() - wanted.coolDownMs).toISOString(),
        ),
      database.prepare(DELIVERIES).bind(wanted.dedupeKey, mark, now.toISOString()),
    ]);
    rows = raised?.results ?? [];
    deliveries = (made?.results ?? []).map((row) => String(row.id));
  } catch (error) {
    ctx.log.error("an alert was not raised: the database does not answer", { kind: wanted.kind, error });
    return fail("DATABASE_UNAVAILABLE", "the alert could not be stored", { nothingWritten: null });
  }
  const alert = AlertRowSchema.parse(rows[0]);
  const told = MarkSchema.parse(rows[0]).told_by === mark;
  if (told) {
    await announce(ctx, { alert, mark });
    await requestDeliveries(ctx, deliveries);
  }
  return { ok: true, alert, told };
}

const TELL_AGAIN = `(alerts.told_at <= ?13 OR ${rankOf("excluded.severity")} > ${rankOf("alerts.severity")})`;
const RAISE = `
  INSERT INTO alerts (id, kind, severity, title, text, dedupe_key, worker, order_id, project_id, data, first_at, last_at,
    told_at, told_by)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?11, ?12)
  ON CONFLICT (dedupe_key) WHERE status = 'open' DO UPDATE SET
    kind = excluded.kind, severity = excluded.severity, title = excluded.title, text = excluded.text, data = excluded.data,
    count = alerts.count + 1, last_at = excluded.last_at,
    told = alerts.told + ${TELL_AGAIN},
    told_at = CASE WHEN ${TELL_AGAIN} THEN excluded.told_at ELSE alerts.told_at END,
    told_by = CASE WHEN ${TELL_AGAIN} THEN excluded.told_by ELSE alerts.told_by END,
    announced_at = CASE WHEN ${TELL_AGAIN} THEN NULL ELSE alerts.announced_at END
  RETURNING *`;

/** One delivery a webhook whose rules take this alert, in the batch that raised it. */
const DELIVERIES = `
  INSERT INTO alert_deliveries (id, webhook_id, alert_id, message_id, kind, body, next_attempt_at, created_at)
  SELECT message_id || '.' || webhook.id, webhook.id, alert.id, message_id, alert.kind, body, ?3, ?3
  FROM (
    SELECT *, 'msg_' || replace(id, '-', '') || '_' || told AS message_id, json_object(
      'type', kind, 'timestamp', told_at, 'data', json_object(
        'id', id, 'kind', kind, 'severity', severity, 'title', title, 'text', text, 'dedupe_key', dedupe_key,
        'worker', worker, 'order_id', order_id, 'project_id', project_id, 'data', json(data), 'status', status,
        'count', count, 'told', told, 'first_at', first_at, 'last_at', last_at)) AS body
    FROM alerts WHERE dedupe_key = ?1 AND status = 'open' AND told_by = ?2
  ) AS alert
  JOIN alert_webhooks AS webhook ON webhook.enabled = 1 AND webhook.deleted_at IS NULL
    AND ${rankOf("webhook.min_severity")} <= ${rankOf("alert.severity")}
    AND (json_array_length(webhook.kinds) = 0 OR EXISTS (
      SELECT 1 FROM json_each(webhook.kinds) AS rule WHERE rule.value = alert.kind
        OR (rule.value LIKE '%.*' AND substr(alert.kind, 1, length(rule.value) - 1) = substr(rule.value, 1, length(rule.value) - 1))))
  WHERE true
  ON CONFLICT (id) DO NOTHING
  RETURNING id`;
