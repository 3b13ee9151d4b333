import type { ServiceContext } from "../../context.ts";
import { type WebhookRow, secretsOfRow } from "./webhookRow.ts";
import { liveSecrets, signedHeaders, unseal } from "./webhookSecret.ts";
import { checkWebhookUrl } from "./webhookUrl.ts";

/** For how long a receiver may take to answer, as Standard Webhooks recommends (15 to 30 s). */
export const TIMEOUT_MS = 15_000;

export interface Sent {
  ok: boolean;
  status: number | null;
  /** Why it did not arrive, in words of ours alone: what a receiver answers is kept nowhere. */
  error: string | null;
  /** The receiver said that it wants no more (410 Gone). */
  isGone: boolean;
  retryAfterMs: number | null;
}

const refused = (error: string, status: number | null = null): Sent => ({
  ok: false,
  status,
  error,
  isGone: false,
  retryAfterMs: null,
});

/**
 * One attempt at a message: signed with every secret that stands, redirects not followed, the answer's text not read.
 * Anything but a 2xx is a failure. Never throws.
 */
export async function sendWebhook(
  ctx: ServiceContext,
  webhook: WebhookRow,
  message: { id: string; body: string },
  { timeoutMs = TIMEOUT_MS, send = fetch }: { timeoutMs?: number; send?: typeof fetch } = {},
): Promise<Sent> {
  // Once more: the rules may have become tighter since it was stored, or the instance another.
  const checked = checkWebhookUrl(ctx.env, webhook.url);
  if (!checked.ok) return refused(checked.error.message);
  const now = ctx.now();
  const secrets = liveSecrets(secretsOfRow(webhook), now.toISOString())
    .map(({ sealed }) => unseal(ctx.env, webhook.id, sealed))
    .filter((secret) => secret !== null);
  if (secrets.length === 0) return refused("its secret cannot be read with this instance's SESSION_SECRET: rotate it");
  const timestamp = Math.floor(now.getTime() / 1000);
  try {
    const response = await send(checked.url.href, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "VibeHQ-Webhooks/1",
        ...signedHeaders({ ...message, timestamp }, secrets),
      },
      body: message.body,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    const { status } = response;
    if (status >= 200 && status < 300) return { ok: true, status, error: null, isGone: false, retryAfterMs: null };
    if (status >= 300 && status < 400) return refused("it redirects, which is not followed", status);
    const error = status === 410 ? "it is gone (410)" : `it answered ${status}`;
    return { ok: false, status, error, isGone: status === 410, retryAfterMs: retryAfterOf(response, now) };
  } catch (error) {
    const isLate = error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
    ctx.log.info("a webhook did not answer", { webhookId: webhook.id, error });
    return refused(isLate ? `it did not answer within ${timeoutMs / 1000} s` : "it cannot be reached");
  }
}

/** Milliseconds of a Retry-After, in seconds or as a date (RFC 9110, 10.2.3); null where there is none. */
function retryAfterOf(response: Response, now: Date): number | null {
  const header = response.headers.get("retry-after");
  if (header === null) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
