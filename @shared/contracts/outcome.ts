import { z } from "zod";
import { FindingSchema, VibeErrorSchema } from "./errors.ts";
import { Sha256Schema } from "./ids.ts";

/** Where a workspace's engine log stands: the last entry's number and hash; `seq` 0 and 64 zeros before the first. */
export const HeadSchema = z.object({ seq: z.number().int().nonnegative(), hash: Sha256Schema });
export type Head = z.infer<typeof HeadSchema>;
export const GENESIS_HASH = "0".repeat(64);
export const GENESIS_HEAD: Head = { seq: 0, hash: GENESIS_HASH };

/** 1-based, inclusive lines of the file after the batch; `end` is `start - 1` where nothing stands (a deletion). */
export const LandedSchema = z.object({ start: z.number().int().positive(), end: z.number().int().nonnegative() });

export const PatchStatusSchema = z.enum(["applied", "failed", "pending", "dry-run"]);
export type PatchStatus = z.infer<typeof PatchStatusSchema>;

export const PatchOutcomeSchema = z.object({
  patch_id: z.string(),
  file: z.string(),
  op: z.string(),
  task_id: z.string().nullable(),
  status: PatchStatusSchema,
  landed: LandedSchema.nullable(),
  /** By how many lines the edit followed its text; 0 where it landed as asked. */
  moved: z.number().int(),
  diff_path: z.string().nullable(),
  error: VibeErrorSchema.optional(),
});
export type PatchOutcome = z.infer<typeof PatchOutcomeSchema>;

export const FileOutcomeSchema = z.object({
  file: z.string(),
  /** The path before the batch, where the batch renamed the file. */
  from: z.string().optional(),
  beforeSha256: Sha256Schema.nullable(),
  afterSha256: Sha256Schema.nullable(),
  linesAdded: z.number().int().nonnegative(),
  linesRemoved: z.number().int().nonnegative(),
  /** Git-style unified diff of this file. */
  diff: z.string(),
});
export type FileOutcome = z.infer<typeof FileOutcomeSchema>;

/** What one gate or check found. `ok` null: it did not run. */
export const CheckOutcomeSchema = z.object({
  name: z.string(),
  level: z.enum(["off", "warn", "fail"]),
  ok: z.boolean().nullable(),
  findings: z.array(FindingSchema),
  durationMs: z.number().nonnegative().optional(),
});
export type CheckOutcome = z.infer<typeof CheckOutcomeSchema>;

/** How safe a batch is to carry out: 100 less the points of each reason, and never below 0. More harm never scores higher. */
export const SafetySchema = z.object({
  score: z.number().int().min(0).max(100),
  reasons: z.array(
    z.object({
      name: z.enum([
        "lines-removed",
        "share-of-file",
        "files-touched",
        "files-deleted",
        "exports-removed",
        "guard-near",
        "gate-findings",
        "text-moved",
      ]),
      /** What it takes from 100. */
      points: z.number().int().positive(),
      detail: z.string(),
    }),
  ),
});
export type Safety = z.infer<typeof SafetySchema>;

/** What became of a batch. `pending`: in doubt, until the re-drive knows. */
export const BatchOutcomeSchema = z.object({
  ok: z.boolean(),
  status: PatchStatusSchema,
  batchId: z.string(),
  workspaceId: z.string(),
  head: HeadSchema,
  patches: z.array(PatchOutcomeSchema),
  files: z.array(FileOutcomeSchema),
  checks: z.array(CheckOutcomeSchema),
  treeHash: Sha256Schema.nullable(),
  durationMs: z.number().nonnegative(),
  /** Of a dry run that would be applied. */
  safety: SafetySchema.optional(),
});
export type BatchOutcome = z.infer<typeof BatchOutcomeSchema>;
