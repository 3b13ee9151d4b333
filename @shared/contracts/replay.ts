import { z } from "zod";
import { FileModeSchema, LoggedFileSchema, WorkspaceFileSchema } from "./engine.ts";
import { Sha256Schema } from "./ids.ts";

/** An order's workspace as it was after each of its batches. Every tree that is answered has been checked by its hash. */

export const ReplayBatchSchema = z.object({
  /** The batch's place in the engine's log: what the addresses of its tree and files name. */
  seq: z.number().int().positive(),
  batchId: z.string(),
  kind: z.enum(["batch", "revert"]),
  ts: z.string(),
  requester: z.string(),
  reason: z.string(),
  phase: z.string().nullable(),
  /** The tree the batch left. */
  treeHash: Sha256Schema,
  files: z.array(LoggedFileSchema.pick({ path: true, from: true, kind: true, linesAdded: true, linesRemoved: true })),
  /** Files the batch changed beyond those listed. */
  omitted: z.number().int().nonnegative(),
});
export type ReplayBatch = z.infer<typeof ReplayBatchSchema>;

export const ReplaySchema = z.object({
  workspaceId: z.string(),
  /** The log's last entry: trees may be asked for up to here, from 0, the source. */
  head: z.number().int().nonnegative(),
  /** In the order they were carried out. */
  batches: z.array(ReplayBatchSchema),
  /** Where the next page begins; null on the last. */
  next: z.number().int().nullable(),
});
export type Replay = z.infer<typeof ReplaySchema>;

export const ReplayTreeSchema = z.object({
  workspaceId: z.string(),
  seq: z.number().int().nonnegative(),
  /** Recomputed over all files, and the one on record for this batch. */
  treeHash: Sha256Schema,
  files: z.number().int().nonnegative(),
  /** Sorted by code units of the path. */
  tree: z.array(z.object({ path: z.string(), mode: FileModeSchema, sha256: Sha256Schema })),
  /** The path after which the next page begins; null on the last. */
  next: z.string().nullable(),
});
export type ReplayTree = z.infer<typeof ReplayTreeSchema>;

export const ReplayFileSchema = z.object({
  workspaceId: z.string(),
  seq: z.number().int().nonnegative(),
  treeHash: Sha256Schema,
  file: WorkspaceFileSchema,
});
export type ReplayFile = z.infer<typeof ReplayFileSchema>;
