import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { CLOUDFLARE_CONTROL_PATH, CloudflareCommandSchema, type TelemetryEvent } from "./cloudflareControl.ts";

/**
 * Cloudflare's telemetry query on the loopback interface: the events view of Workers Observability, with its filters,
 * its page by the last event's id, its bound of 2,000 events an answer, and its envelope.
 */
export interface CloudflareServer {
  readonly url: string;
  readonly account: string;
  readonly token: string;
  stop(): Promise<void>;
}

const QuerySchema = z.object({
  queryId: z.string().min(1),
  view: z.literal("events"),
  limit: z.number().int().min(1).max(2_000).default(50),
  timeframe: z.object({ from: z.number(), to: z.number() }),
  offset: z.string().optional(),
  offsetDirection: z.enum(["next", "prev"]).optional(),
  parameters: z.object({
    datasets: z.array(z.string()),
    filterCombination: z.enum(["and", "or", "AND", "OR"]).default("and"),
    filters: z
      .array(
        z.object({
          key: z.string(),
          operation: z.enum(["eq", "in", "exists"]),
          type: z.enum(["string", "number", "boolean"]),
          value: z.union([z.string(), z.number(), z.boolean()]).optional(),
        }),
      )
      .default([]),
  }),
});
type Query = z.infer<typeof QuerySchema>;
interface Stored extends TelemetryEvent {
  id: string;
}

export async function startCloudflareServer(): Promise<CloudflareServer> {
  const account = randomBytes(16).toString("hex");
  const token = randomBytes(20).toString("base64url");
  let events: Stored[] = [];
  let failures: number[] = [];
  let queries = 0;
  let minted = 0;

  const steer = (body: string): void => {
    const command = CloudflareCommandSchema.parse(JSON.parse(body));
    if (command.action === "log") {
      for (const event of command.events) {
        minted += 1;
        events.push({ ...event, id: `01EV${String(minted).padStart(12, "0")}` });
      }
    } else if (command.action === "fail") {
      failures = Array.from({ length: command.times }, () => command.status);
    } else if (command.action === "reset") {
      events = [];
      failures = [];
      queries = 0;
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const { pathname } = new URL(request.url ?? "/", "http://local");
    if (pathname === CLOUDFLARE_CONTROL_PATH) {
      steer(body);
      return send(response, 200, { queries });
    }
    queries += 1;
    const failure = failures.shift();
    if (failure === 0) {
      request.socket.destroy();
      return;
    }
    if (failure !== undefined) return refuse(response, failure, "scripted");
    if (request.headers.authorization !== `Bearer ${token}`) return refuse(response, 403, "Authentication error");
    if (request.method !== "POST" || pathname !== `/accounts/${account}/workers/observability/telemetry/query`) {
      return refuse(response, 404, "not found");
    }
    const query = QuerySchema.safeParse(JSON.parse(body));
    if (!query.success) return refuse(response, 400, query.error.message);
    send(response, 200, { success: true, errors: [], messages: [], result: resultOf(events, query.data) });
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => send(response, 500, { error: String(error) }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the Cloudflare server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    account,
    token,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const refuse = (response: ServerResponse, status: number, message: string): void =>
  send(response, status, { success: false, errors: [{ code: 10_000, message }], messages: [], result: null });

/** An event's value by its key; an uncaught error has `error` beside its message. */
function valueOf(event: Stored, key: string): string | undefined {
  if (key === "$metadata.level") return event.level;
  if (key === "$metadata.error") return event.level === "error" ? event.message : undefined;
  if (key === "$metadata.service" || key === "$workers.scriptName") return event.worker;
  return undefined;
}

function fits(event: Stored, { filters, filterCombination }: Query["parameters"]): boolean {
  const each = filters.map(({ key, operation, value }) => {
    const is = valueOf(event, key);
    if (operation === "exists") return is !== undefined;
    if (operation === "eq") return is === value;
    return is !== undefined && String(value).split(",").includes(is);
  });
  return filterCombination.toLowerCase() === "or" ? each.length === 0 || each.includes(true) : !each.includes(false);
}

function resultOf(events: readonly Stored[], query: Query) {
  const { from, to } = query.timeframe;
  const found = events
    .filter((event) => event.timestamp >= from && event.timestamp <= to && fits(event, query.parameters))
    .toSorted((a, b) => b.timestamp - a.timestamp || (a.id < b.id ? 1 : -1));
  const after = query.offset === undefined ? 0 : found.findIndex(({ id }) => id === query.offset) + 1;
  const page = found.slice(after, after + query.limit);
  return {
    run: { id: query.queryId, accountId: "local", dry: false, granularity: 1, status: "COMPLETED" },
    statistics: { bytes_read: 0, elapsed: 0, rows_read: events.length },
    events: {
      count: found.length,
      events: page.map(({ id, worker, level, message, timestamp, tag }) => ({
        dataset: "cloudflare-workers",
        timestamp,
        source: { level, message },
        $metadata: {
          id,
          service: worker,
          level,
          message,
          ...(level === "error" ? { error: message } : {}),
          requestId: `R${id}`,
          type: "cf-worker",
        },
        $workers: {
          scriptName: worker,
          outcome: level === "error" ? "exception" : "ok",
          eventType: "fetch",
          requestId: `R${id}`,
          scriptVersion: { id: `version-${worker}`, ...(tag === undefined ? {} : { tag }) },
          truncated: false,
        },
      })),
    },
  };
}
