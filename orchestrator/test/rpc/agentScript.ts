import { RunClassSchema, UsageSchema } from "@shared/contracts";
import { z } from "zod";

/** What one attempt of a scripted agent comes to. */
export const AgentScriptSchema = z.object({
  class: RunClassSchema,
  message: z.string().default("as scripted"),
  diff: z.string().nullable().default(null),
  output: z.array(z.string()).default([]),
  summary: z.string().nullable().default(null),
  retryAfterMs: z.number().nullable().default(null),
  usage: UsageSchema.nullable().default(null),
  /** It goes on until it is let go or told to end. */
  hold: z.boolean().default(false),
  /** The answer to its start does not arrive. */
  lostAnswer: z.boolean().default(false),
});
export type AgentScript = z.infer<typeof AgentScriptSchema>;
export type AgentScriptInput = z.input<typeof AgentScriptSchema>;
