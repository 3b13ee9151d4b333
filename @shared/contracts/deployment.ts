import { z } from "zod";

/** What a running orchestrator has been given, in names alone: enough to hold it against a checkout. */
export const DeploymentSchema = z.object({
  ok: z.literal(true),
  version: z.string(),
  instance: z.string(),
  /** Bindings to other parts: databases, objects, queues, buckets, Workers. */
  bindings: z.array(z.string()),
  /** Variables and secrets that are set and not empty. */
  texts: z.array(z.string()),
  /** The migrations each database has on record, by its binding; a database that does not answer is left out. */
  migrations: z.record(z.string(), z.array(z.string())),
  crons: z.array(z.string()),
});
export type Deployment = z.infer<typeof DeploymentSchema>;
