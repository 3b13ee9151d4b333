import { z } from "zod";
import { GateLevelSchema, GateNameSchema } from "./patch.ts";

/** Files of a workspace's `.mission_control/`, which agents read and only the host and the engine write. */

export const TaskTypeSchema = z.enum(["generate", "fix", "refactor", "optimize"]);
export type TaskType = z.infer<typeof TaskTypeSchema>;

/** Where a task may edit: a glob over workspace paths, optionally only these 1-based lines and these operations. */
export const AllowedEditSchema = z.object({
  files: z.string().min(1),
  spans: z
    .array(
      z
        .object({ start: z.number().int().positive(), end: z.number().int().positive() })
        .refine((span) => span.end >= span.start, { path: ["end"], error: "end must not be before start" }),
    )
    .optional(),
  ops: z.array(z.string()).optional(),
});
export type AllowedEdit = z.infer<typeof AllowedEditSchema>;

export const ScopedTaskSchema = z.object({
  id: z.string().min(1),
  type: TaskTypeSchema,
  status: z.string(),
  allowed: z.array(AllowedEditSchema),
  maxChangedLines: z.number().int().positive().optional(),
});
export type ScopedTask = z.infer<typeof ScopedTaskSchema>;

/** `.mission_control/tasks.json`: what each task of the workspace's orders may touch. */
export const TasksFileSchema = z.object({
  version: z.literal(1),
  orderId: z.string().nullable(),
  tasks: z.array(ScopedTaskSchema),
});
export type TasksFile = z.infer<typeof TasksFileSchema>;

/** `.mission_control/policy.json`: the gates of a workspace and the command that validates it. */
export const PolicyFileSchema = z.object({
  gates: z.partialRecord(GateNameSchema, GateLevelSchema).default({}),
  maxChangedPercent: z.number().min(0).max(100).optional(),
  /** The workspace's own check, run by `validate`: program and arguments, no shell. */
  check: z.array(z.string().min(1)).min(1).optional(),
});
export type PolicyFile = z.infer<typeof PolicyFileSchema>;
