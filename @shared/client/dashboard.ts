import { WorkspaceFileSchema } from "@shared/contracts";
import { z } from "zod";
import type { CallOptions, ClientOptions, Query } from "./request.ts";
import { request } from "./request.ts";

/** What Mission Control reads beside the API of orders and patches: sign-in, analytics, telemetry, reports, replay. */

const SessionSchema = z.looseObject({
  id: z.string(),
  actor: z.string(),
  scopes: z.array(z.string()),
  userAgent: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
  lastUsedAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  current: z.boolean(),
});
const WhoSchema = z.looseObject({
  actor: z.string(),
  via: z.string(),
  scopes: z.array(z.string()),
  workspaceId: z.string().nullable(),
  expiresAt: z.string().nullable(),
});
const TokenSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  requesters: z.array(z.string()).nullable(),
  workspaceId: z.string().nullable(),
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});

const rate = z.number().nullable();
const StatsSchema = z.looseObject({
  range: z.object({ from: z.string(), to: z.string() }),
  totals: z.looseObject({ total: z.number(), ok: z.number(), failed: z.number() }),
  daily: z.array(z.looseObject({ day: z.string(), total: z.number(), ok: z.number(), failed: z.number() })),
  byFactory: z.array(z.looseObject({ factory: z.string().nullable(), total: z.number(), success: z.number(), success_rate: rate })),
  byOp: z.array(z.looseObject({ op: z.string(), count: z.number(), pct: z.number() })),
  byProvider: z.array(z.looseObject({ provider: z.string().nullable(), total: z.number(), success_rate: rate })).default([]),
  errors: z.array(
    z.looseObject({
      error: z.string().nullable(),
      occurrences: z.number(),
      code: z.string().nullable().optional(),
      template: z.string().nullable().optional(),
    }),
  ),
  latency: z.looseObject({ p50: rate, p95: rate }).optional(),
});

const ReportRowSchema = z.looseObject({
  id: z.number(),
  order_id: z.string(),
  report_md: z.string(),
  report_json: z.string(),
  success_rate: z.number().nullable(),
  total_patches: z.number().nullable(),
  created_at: z.string(),
  version: z.number(),
  factory: z.string().nullable(),
});

const ReplayStepSchema = z.looseObject({
  seq: z.number(),
  batch_id: z.string().nullable(),
  ts: z.string(),
  tree_hash: z.string().nullable(),
});
const TreeSchema = z.looseObject({
  tree_hash: z.string(),
  files: z.array(z.looseObject({ path: z.string(), sha256: z.string(), mode: z.string() })),
});

const at = (...parts: string[]): string => `/api/${parts.map((part) => encodeURIComponent(part)).join("/")}`;

export function createDashboardClient(options: ClientOptions) {
  const get = <Schema extends z.ZodType<object>>(path: string, answer: Schema, query: Query = {}, call: CallOptions = {}) =>
    request(options, { method: "GET", path, answer, query, ...call });
  const send = <Schema extends z.ZodType<object>>(
    method: "POST" | "DELETE",
    path: string,
    answer: Schema,
    body?: unknown,
  ) => request(options, { method, path, answer, ...(body === undefined ? {} : { body }) });

  return {
    session: {
      create: (token: string) => send("POST", "/api/auth/session", z.object({ session: SessionSchema }), { token }),
      get: (call?: CallOptions) => get("/api/auth/session", z.object({ who: WhoSchema }), {}, call),
      end: () => send("DELETE", "/api/auth/session", z.looseObject({})),
      list: (call?: CallOptions) => get("/api/auth/sessions", z.looseObject({ sessions: z.array(SessionSchema) }), {}, call),
      revoke: (id: string) => send("DELETE", at("auth", "sessions", id), z.looseObject({})),
    },
    tokens: {
      list: (call?: CallOptions) => get("/api/auth/tokens", z.looseObject({ tokens: z.array(TokenSchema) }), { limit: 100 }, call),
      create: (token: { name: string; scopes: string[]; expiresInSeconds?: number | null }) =>
        send("POST", "/api/auth/tokens", z.object({ token: z.string(), apiToken: TokenSchema }), token),
      revoke: (id: string) => send("DELETE", at("auth", "tokens", id), z.looseObject({})),
    },
    replay: {
      steps: (orderId: string, call?: CallOptions) =>
        get(at("orders", orderId, "replay"), z.looseObject({ steps: z.array(ReplayStepSchema) }), {}, call),
      tree: (orderId: string, seq: number, call?: CallOptions) =>
        get(at("orders", orderId, "replay", String(seq), "tree"), TreeSchema, {}, call),
      file: (orderId: string, seq: number, path: string, call?: CallOptions) =>
        get(`${at("orders", orderId, "replay", String(seq), "files")}/${path.split("/").map((part) => encodeURIComponent(part)).join("/")}`, z.object({ file: WorkspaceFileSchema }), {}, call),
    },
    delivery: {
      list: (query: Query = {}, call?: CallOptions) =>
        get("/api/delivery/reports", z.looseObject({ reports: z.array(ReportRowSchema) }), query, call),
      get: (orderId: string, call?: CallOptions) =>
        get("/api/delivery/reports", z.looseObject({ report: ReportRowSchema }), { order_id: orderId }, call),
    },
    analytics: {
      stats: (query: Query, call?: CallOptions) => get("/api/patches/stats", StatsSchema, query, call),
    },
  };
}
