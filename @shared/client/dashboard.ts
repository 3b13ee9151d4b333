import {
  AgentTelemetrySchema,
  fail,
  HilTelemetrySchema,
  OpsTelemetrySchema,
  PipelineTelemetrySchema,
  ProblemSchema,
  ReplayFileSchema,
  ReplaySchema,
  ReplayTreeSchema,
  type Result,
  StatsSchema,
  TrendsSchema,
} from "@shared/contracts";
import { z } from "zod";
import type { CallOptions, ClientOptions, Query } from "./request.ts";
import { request } from "./request.ts";
import { linesOf } from "./verifyReport.ts";

/** What Mission Control reads beside what scripts do: statistics, telemetry, replay, and the export that a report is held against. */

const at = (...parts: string[]): string => `/api/${parts.map((part) => encodeURIComponent(part)).join("/")}`;

/** The records of an order's custody chains as they were hashed, one a line, while they come in. */
async function readCustody(
  { url, token, fetch: send = fetch }: ClientOptions,
  orderId: string,
): Promise<Result<{ lines: AsyncIterable<string> }>> {
  const address = new URL("/api/patches/custody", url);
  address.searchParams.set("order_id", orderId);
  let response: Response;
  try {
    response = await send(address, {
      headers: {
        accept: "application/x-ndjson",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
  } catch {
    return fail("UNREACHABLE", `${address.origin} does not answer`);
  }
  if (response.ok && response.body !== null) return { ok: true, lines: linesOf(response.body) };
  const problem = ProblemSchema.safeParse(await response.json().catch(() => null));
  return problem.success
    ? { ok: false, error: problem.data.error }
    : fail("INTERNAL", `the export was answered with HTTP ${response.status}`);
}

export function createDashboardClient(options: ClientOptions) {
  const get = <Schema extends z.ZodType<object>>(
    path: string,
    answer: Schema,
    query: Query = {},
    call: CallOptions = {},
  ) => request(options, { method: "GET", path, answer, query, ...call });

  return {
    replay: {
      /** An order's batches, a page of them: those after the entry `after`. */
      batches: (orderId: string, query: { after?: number; limit?: number } = {}, call?: CallOptions) =>
        get(at("orders", orderId, "replay"), ReplaySchema, query, call),
      /** The files of a tree, a page of them: those after the path `after`. */
      tree: (orderId: string, seq: number, query: { after?: string } = {}, call?: CallOptions) =>
        get(at("orders", orderId, "replay", String(seq), "tree"), ReplayTreeSchema, query, call),
      file: (orderId: string, seq: number, path: string, call?: CallOptions) =>
        get(at("orders", orderId, "replay", String(seq), "files", ...path.split("/")), ReplayFileSchema, {}, call),
    },
    telemetry: {
      pipeline: (call?: CallOptions) =>
        get("/api/telemetry/pipeline", PipelineTelemetrySchema.omit({ ok: true }), {}, call),
      agents: (call?: CallOptions) => get("/api/telemetry/agents", AgentTelemetrySchema.omit({ ok: true }), {}, call),
      ops: (call?: CallOptions) => get("/api/telemetry/ops", OpsTelemetrySchema.omit({ ok: true }), {}, call),
      hil: (call?: CallOptions) => get("/api/telemetry/hil", HilTelemetrySchema.omit({ ok: true }), {}, call),
    },
    /** What a report is held against. */
    custody: (orderId: string) => readCustody(options, orderId),
    analytics: {
      stats: (query: Query, call?: CallOptions) =>
        get("/api/patches/stats", StatsSchema.omit({ ok: true }), query, call),
      trends: (query: Query, call?: CallOptions) =>
        get("/api/patches/trends", TrendsSchema.omit({ ok: true }), query, call),
    },
  };
}
