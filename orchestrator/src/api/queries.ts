import { queryOptions } from "@tanstack/react-query";
import { z } from "zod";
import { client, need } from "./client.ts";

/** The queries that more than one page asks. */

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }) => (await need(client.auth.who({ signal }))).who,
  staleTime: 60_000,
});

const ComponentSchema = z.looseObject({ ok: z.boolean(), durationMs: z.number().optional() });
const HealthSchema = z.looseObject({
  status: z.string(),
  components: z.record(z.string(), ComponentSchema),
  version: z.string().optional(),
  instance: z.string().optional(),
});
export type Health = z.infer<typeof HealthSchema>;

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: async ({ signal }): Promise<Health> => HealthSchema.parse(await need(client.health({ signal }))),
  refetchInterval: 15_000,
  retry: false,
});

export const patchQuery = (patchId: string) =>
  queryOptions({
    queryKey: ["patch", patchId],
    queryFn: ({ signal }) => need(client.patches.get(patchId, { signal })),
  });

export const orderQuery = (orderId: string) =>
  queryOptions({ queryKey: ["order", orderId], queryFn: ({ signal }) => need(client.orders.get(orderId, { signal })) });

export const hilTelemetryQuery = queryOptions({
  queryKey: ["telemetry", "hil"],
  queryFn: ({ signal }) => need(client.telemetry.hil({ signal })),
  refetchInterval: 10_000,
});

export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: async ({ signal }) => (await need(client.ai.providers.list({ signal }))).providers,
  refetchInterval: 10_000,
});

export const executionQuery = (id: string) =>
  queryOptions({
    queryKey: ["execution", id],
    queryFn: async ({ signal }) => (await need(client.ai.executions.get(id, { signal }))).execution,
  });

export const hilRequestQuery = (id: string) =>
  queryOptions({
    queryKey: ["hil", "one", id],
    queryFn: async ({ signal }) => (await need(client.hil.get(id, { signal }))).request,
  });
