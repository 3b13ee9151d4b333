import { fail, type Result, type WorkerLogLine, type WorkerLogs } from "@shared/contracts";
import { boundedText, type Logger, type ReadWindow } from "@shared/worker-kit";
import { z } from "zod";
import type { Bindings } from "./app.ts";

export type TelemetryBindings = Pick<Bindings, "CLOUDFLARE_API_URL" | "CLOUDFLARE_ACCOUNT_ID" | "CLOUDFLARE_API_TOKEN">;

/** Events of one answer: well below Cloudflare's bound, so that an answer stays small. */
const PAGE = 500;
const ATTEMPT_MS = 25_000;
const MAX_BYTES = 20 * 1024 * 1024;
const MAX_MESSAGE = 16_000;

const HOW = "docs/ops.md says how";
const missing = (what: string) =>
  fail("UPSTREAM_UNAVAILABLE", `Cloudflare's API is not configured: ${what}; ${HOW}`, { retryable: false });

const isTrusted = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname));
};

/**
 * What deployed Workers logged at `warn` and `error`, and their uncaught exceptions, a page at a time: the events view of
 * `POST /accounts/:id/workers/observability/telemetry/query`, newest first, led on by the last event's id.
 * Errors: UPSTREAM_UNAVAILABLE, UPSTREAM_REFUSED, RATE_LIMITED.
 */
export async function queryTelemetry(
  env: TelemetryBindings,
  window: ReadWindow,
  log: Logger,
  limit = PAGE,
): Promise<Result<WorkerLogs>> {
  const { CLOUDFLARE_API_URL: api, CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_TOKEN: token } = env;
  if (!isTrusted(api)) return missing("CLOUDFLARE_API_URL must be an https address");
  if (!/^[0-9a-f]{32}$/.test(account)) return missing("set CLOUDFLARE_ACCOUNT_ID");
  if (token === undefined || token === "") return missing("set the secret CLOUDFLARE_API_TOKEN");
  const from = window.from.getTime();
  const to = window.to.getTime();
  let response: Response;
  let text: string | null;
  try {
    response = await fetch(`${api.replace(/\/+$/, "")}/accounts/${account}/workers/observability/telemetry/query`, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(ATTEMPT_MS),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        queryId: "vibehq-worker-logs",
        view: "events",
        limit,
        timeframe: { from, to },
        parameters: {
          datasets: ["cloudflare-workers"],
          filterCombination: "or",
          filters: [
            { key: "$metadata.level", operation: "in", type: "string", value: "error,warn" },
            { key: "$metadata.error", operation: "exists", type: "string" },
          ],
        },
        ...(window.cursor === null ? {} : { offset: window.cursor, offsetDirection: "next" }),
      }),
    });
    text = await boundedText(response, MAX_BYTES);
  } catch (error) {
    log.warn("Cloudflare's API did not answer", { error });
    return fail("UPSTREAM_UNAVAILABLE", "Cloudflare's API did not answer");
  }
  if (!response.ok) return refusalOf(response);
  if (text === null) return fail("UPSTREAM_REFUSED", "Cloudflare's answer is too large");
  const parsed = AnswerSchema.safeParse(jsonOf(text));
  if (!parsed.success) return fail("UPSTREAM_REFUSED", "Cloudflare's API answered in an unknown form");
  const { events } = parsed.data.result.events;
  const last = events.at(-1);
  return {
    ok: true,
    logs: events.flatMap(lineOf),
    cursor: events.length < limit || !last ? null : last.$metadata.id,
    from: window.from.toISOString(),
    to: window.to.toISOString(),
    open_since: null,
  };
}

function refusalOf({ status, headers }: Response) {
  if (status === 429) {
    const after = Number(headers.get("retry-after") ?? Number.NaN);
    return fail("RATE_LIMITED", `Cloudflare's limit is reached${Number.isFinite(after) ? ` for ${after} s` : ""}`);
  }
  if (status === 401 || status === 403) {
    return fail("UPSTREAM_REFUSED", "Cloudflare does not accept CLOUDFLARE_API_TOKEN for this account's telemetry");
  }
  return status >= 500
    ? fail("UPSTREAM_UNAVAILABLE", `Cloudflare's API failed (${status})`)
    : fail("UPSTREAM_REFUSED", `Cloudflare's API refused (${status})`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // An answer that is no JSON has an unknown form, which the caller says.
    return null;
  }
}

const EventSchema = z.object({
  timestamp: z.number(),
  source: z.union([z.string(), z.record(z.string(), z.json())]).optional(),
  $metadata: z.looseObject({
    id: z.string().min(1).max(200),
    service: z.string().optional(),
    level: z.string().optional(),
    message: z.string().optional(),
    error: z.string().optional(),
  }),
  $workers: z
    .looseObject({
      scriptName: z.string().optional(),
      outcome: z.string().optional(),
      requestId: z.string().optional(),
      scriptVersion: z.looseObject({ id: z.string().optional(), tag: z.string().optional() }).optional(),
    })
    .optional(),
});
type TelemetryEvent = z.infer<typeof EventSchema>;
const AnswerSchema = z.object({ result: z.object({ events: z.object({ events: z.array(EventSchema) }) }) });

function lineOf({ timestamp, source, $metadata, $workers }: TelemetryEvent): WorkerLogLine[] {
  const said =
    $metadata.error ?? $metadata.message ?? (typeof source === "string" ? source : JSON.stringify(source ?? {}));
  const level = $metadata.level === "warn" && $metadata.error === undefined ? "warn" : "error";
  const { id, tag } = $workers?.scriptVersion ?? {};
  const commit = [tag, typeof source === "object" ? source.commit : undefined].find(
    (value) => typeof value === "string" && /^[0-9a-f]{7,64}$/.test(value),
  );
  const worker = $workers?.scriptName ?? $metadata.service;
  if (worker === undefined) return [];
  return [
    {
      id: $metadata.id,
      worker: worker.slice(0, 200),
      level,
      message: said.slice(0, MAX_MESSAGE).toWellFormed(),
      ts: new Date(timestamp).toISOString(),
      commit: typeof commit === "string" ? commit : null,
      meta: {
        ...($workers?.outcome === undefined ? {} : { outcome: $workers.outcome }),
        ...($workers?.requestId === undefined ? {} : { requestId: $workers.requestId }),
        ...(id === undefined ? {} : { version: id }),
      },
    },
  ];
}
