import { z } from "zod";
import { CLI_PROVIDERS } from "./agentRuns.ts";
import { ProjectIdSchema } from "./ids.ts";

/** Who may write code, and what orders and projects say of whom their tasks go to. */

export const MODEL_PROVIDERS = ["workers-ai", "ai-gateway"] as const;
export const PROVIDERS = ["jules", ...CLI_PROVIDERS, ...MODEL_PROVIDERS] as const;
export const ProviderNameSchema = z.enum(PROVIDERS);
export type ProviderName = z.infer<typeof ProviderNameSchema>;

export const PrioritySchema = z.enum(["low", "normal", "high", "urgent"]);
export const CostProfileSchema = z.enum(["cheap", "balanced", "best"]);

/** How a project's or an order's tasks are routed. */
export const RoutingSchema = z.object({
  preferredModel: z.string().max(200).nullable().default(null),
  cost_profile: CostProfileSchema.default("balanced"),
  priority: PrioritySchema.default("normal"),
  /** Manual override. */
  provider: ProviderNameSchema.nullable().default(null),
  maxCostUsd: z.number().positive().nullable().default(null),
  projectId: ProjectIdSchema.nullable().default(null),
});
export type Routing = z.infer<typeof RoutingSchema>;

/** What one order or project says of it; what it leaves out is its project's word, else the default above. */
export const StatedRoutingSchema = z
  .object({
    preferredModel: z.string().max(200).nullable(),
    cost_profile: CostProfileSchema,
    priority: PrioritySchema,
    provider: ProviderNameSchema.nullable(),
    maxCostUsd: z.number().positive().nullable(),
    projectId: ProjectIdSchema.nullable(),
  })
  .partial();
export type StatedRouting = z.infer<typeof StatedRoutingSchema>;
