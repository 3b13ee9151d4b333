import {
  type DeliveryReport,
  DeliveryReportSchema,
  LIST_BUDGET,
  type Order,
  type Task,
  withinBudget,
} from "@shared/contracts";
import { hashOf } from "patch-engine/core";
import type { ServiceContext } from "../../context.ts";
import type { Delivery } from "./readDelivery.ts";

/** All that a report says but when and as which version. */
export type ReportContent = Pick<DeliveryReport, "order_id" | "asked" | "delivered" | "costs">;

export interface ReportParts {
  orderId: string;
  order: Order | null;
  tasks: readonly Task[];
  costs: readonly DeliveryReport["costs"]["items"][number][];
  delivery: Delivery;
}

export function contentOf({ orderId, order, tasks, costs, delivery }: ReportParts): ReportContent {
  return DeliveryReportSchema.pick({ order_id: true, asked: true, delivered: true, costs: true }).parse({
    order_id: orderId,
    asked: {
      // The schema takes what a report says of an order, and leaves out the rest. What has no hash is mended here.
      order: order && {
        ...order,
        title: order.title.toWellFormed(),
        description: order.description.toWellFormed(),
        created_by: order.created_by.toWellFormed(),
      },
      tasks: withinBudget(
        LIST_BUDGET.other,
        tasks.map(({ id, title, type, status }) => ({ id, title: title.toWellFormed(), type, status })),
      ),
    },
    delivered: delivery.summary,
    costs: withinBudget(
      LIST_BUDGET.other,
      costs.map((cost) => ({
        ...cost,
        provider: cost.provider.toWellFormed(),
        model: cost.model?.toWellFormed() ?? null,
      })),
    ),
  });
}

/** Seals a content as one version of the report: `sha256` covers all else. */
export function sealReport(
  content: ReportContent,
  seal: { version: number; generatedAt: string; custody: Delivery["custody"] },
): DeliveryReport {
  const { version, generatedAt, custody } = seal;
  const unsealed = { v: 1 as const, version, generated_at: generatedAt, custody, ...content };
  return { ...unsealed, sha256: hashOf(unsealed) };
}

/** What the runs of an order's providers cost, by provider and model. */
export const costsQuery = (db: ServiceContext["db"], orderId: string) =>
  db.ops
    .selectFrom("ai_provider_executions")
    .select((eb) => [
      "provider_name as provider",
      "model",
      eb.fn.countAll<number>().as("executions"),
      eb.fn.coalesce(eb.fn.sum<number>("input_tokens"), eb.lit(0)).as("input_tokens"),
      eb.fn.coalesce(eb.fn.sum<number>("output_tokens"), eb.lit(0)).as("output_tokens"),
      eb.fn.coalesce(eb.fn.sum<number>("cost_usd"), eb.lit(0)).as("cost_usd"),
      eb.fn.coalesce(eb.fn.sum<number>("duration_ms"), eb.lit(0)).as("duration_ms"),
    ])
    .where("order_id", "=", orderId)
    .groupBy(["provider_name", "model"])
    .orderBy("provider_name")
    .orderBy("model");
