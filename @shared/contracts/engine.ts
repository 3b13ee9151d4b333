import { z } from "zod";
import { VibeErrorSchema } from "./errors.ts";
import { Sha256Schema, WorkspaceIdSchema } from "./ids.ts";
import { TasksFileSchema } from "./missionControl.ts";
import { BatchOutcomeSchema, CheckOutcomeSchema, HeadSchema, LandedSchema } from "./outcome.ts";
import { PatchMetadataSchema } from "./patch.ts";

/**
 * The protocol between the orchestrator and an engine host (`/v1/…`), and the engine's log.
 * Every mutating call carries `expectedHead` and is refused with HEAD_MISMATCH when the log stands elsewhere, so a late
 * call of a dead caller cannot land; every answer carries all entries since, so the caller learns of edits made beside it.
 */

/** One replaced byte range. Offsets are bytes of the file as it was before the entry. */
export const SpliceSchema = z.object({
  patchId: z.string(),
  /** Other patches of the batch whose edits this splice holds as well: they cannot be undone apart. */
  alsoBy: z.array(z.string()).optional(),
  start: z.number().int().nonnegative(),
  end: z.number().int().nonnegative(),
  old: z.string(),
  new: z.string(),
});
export type Splice = z.infer<typeof SpliceSchema>;

export const FileModeSchema = z.enum(["100644", "100755"]);
export type FileMode = z.infer<typeof FileModeSchema>;

export const LoggedFileSchema = z.object({
  /** The path after the entry; of a deleted file, the path it had. */
  path: z.string(),
  /** The path before, where the entry renamed the file. */
  from: z.string().nullable(),
  kind: z.enum(["edit", "create", "delete", "rename"]),
  mode: FileModeSchema,
  /** The mode before, where the entry changed it. */
  modeBefore: FileModeSchema.optional(),
  beforeSha256: Sha256Schema.nullable(),
  afterSha256: Sha256Schema.nullable(),
  linesAdded: z.number().int().nonnegative(),
  linesRemoved: z.number().int().nonnegative(),
  /** In ascending order, not overlapping. A created file is one splice at 0, a deleted one the splice of all of it. */
  splices: z.array(SpliceSchema),
  diff: z.string(),
});
export type LoggedFile = z.infer<typeof LoggedFileSchema>;

export const LoggedPatchSchema = z.object({
  patch_id: z.string(),
  op: z.string(),
  file: z.string(),
  task_id: z.string().nullable(),
  landed: LandedSchema.nullable(),
  moved: z.number().int(),
  ts_check_ok: z.boolean().nullable(),
  metadata: PatchMetadataSchema.optional(),
  /** This patch alone, as a unified diff against the file before the entry. */
  diff: z.string(),
});
export type LoggedPatch = z.infer<typeof LoggedPatchSchema>;

export const RevertTargetSchema = z.object({ by: z.enum(["patch", "batch", "task"]), id: z.string().min(1).max(128) });
export type RevertTarget = z.infer<typeof RevertTargetSchema>;

/**
 * One line of `.mission_control/log.jsonl`: redo journal, idempotency table, and what replay and revert read.
 * `hash` is the SHA-256 of the RFC 8785 text of the entry without `hash`.
 */
export const LogEntrySchema = z.object({
  v: z.literal(1),
  seq: z.number().int().positive(),
  prevHash: Sha256Schema,
  kind: z.enum(["batch", "revert"]),
  batchId: z.string(),
  /** SHA-256 of the RFC 8785 text of the batch as sent, before defaults, without `batchId`. */
  payloadHash: Sha256Schema,
  ts: z.string(),
  /** Through which door: the host, or a `patchctl` standing alone. */
  door: z.enum(["host", "patchctl"]),
  actor: z.string().nullable(),
  requester: z.string(),
  reason: z.string(),
  orderId: z.string().nullable(),
  projectId: z.string().nullable(),
  phase: z.string().nullable(),
  patches: z.array(LoggedPatchSchema),
  files: z.array(LoggedFileSchema),
  checks: z.array(CheckOutcomeSchema),
  /** Which patches an entry of kind `revert` undid. */
  reverts: z.object({ target: RevertTargetSchema, patchIds: z.array(z.string()) }).nullable(),
  treeBefore: Sha256Schema,
  treeAfter: Sha256Schema,
  durationMs: z.number().nonnegative(),
  hash: Sha256Schema,
});
export type LogEntry = z.infer<typeof LogEntrySchema>;

/** Where a workspace's tree comes from. The host pins it by content when it opens the workspace. */
export const WorkspaceSourceSchema = z.discriminatedUnion("kind", [
  /** A template the host ships, by name. */
  z.object({ kind: z.literal("template"), template: z.string().regex(/^[a-z0-9][a-z0-9-]*$/) }),
  /** A git repository: an https URL, or a path below one of the host's source roots. */
  z.object({ kind: z.literal("git"), repository: z.string().min(1), ref: z.string().min(1).optional() }),
  /** A directory below one of the host's source roots. */
  z.object({ kind: z.literal("path"), path: z.string().min(1) }),
  /** A gzipped tarball with one leading directory, as npm packs them: a path below a source root, or its bytes. */
  z
    .object({
      kind: z.literal("archive"),
      path: z.string().min(1).optional(),
      base64: z.base64().optional(),
      sha256: Sha256Schema.optional(),
    })
    .refine((source) => (source.path === undefined) !== (source.base64 === undefined), {
      error: "give either path or base64",
    }),
]);
export type WorkspaceSource = z.infer<typeof WorkspaceSourceSchema>;

export const WorkspaceInfoSchema = z.object({
  workspaceId: z.string(),
  source: WorkspaceSourceSchema,
  /** The source by content: a git commit, or the tree hash of what was opened. */
  pin: z.string(),
  head: HeadSchema,
  treeHash: Sha256Schema,
  files: z.number().int().nonnegative(),
});
export type WorkspaceInfo = z.infer<typeof WorkspaceInfoSchema>;

export const OpenWorkspaceRequestSchema = z.object({
  workspaceId: WorkspaceIdSchema,
  source: WorkspaceSourceSchema,
  /** Where the caller has opened it before: the source must still be this, else SOURCE_INVALID. */
  pin: z.string().optional(),
});

export const EngineApplyRequestSchema = z.object({
  /** The batch as its sender wrote it; the host parses it. */
  batch: z.unknown(),
  expectedHead: HeadSchema.optional(),
  actor: z.string().nullable().default(null),
  /** Plan and gate, write nothing. */
  simulate: z.boolean().default(false),
});
export type EngineApplyRequest = z.input<typeof EngineApplyRequestSchema>;

export const EngineRevertRequestSchema = z.object({
  target: RevertTargetSchema,
  /** Makes the revert idempotent, as a batch's id does. */
  batchId: z.string(),
  requester: z.string().default("agent"),
  reason: z.string().default(""),
  expectedHead: HeadSchema.optional(),
  actor: z.string().nullable().default(null),
});
export type EngineRevertRequest = z.input<typeof EngineRevertRequestSchema>;

/**
 * The answer to a batch or revert. `entries` are those after `expectedHead`, this call's own among them; on
 * HEAD_MISMATCH they are what the caller has missed, unless the log is behind `expectedHead`, when there are none.
 */
export const EngineAnswerSchema = z.object({
  ok: z.boolean(),
  error: VibeErrorSchema.optional(),
  outcome: BatchOutcomeSchema.nullable(),
  head: HeadSchema,
  entries: z.array(LogEntrySchema),
});
export type EngineAnswer = z.infer<typeof EngineAnswerSchema>;

export const EngineReplayRequestSchema = z.object({ entries: z.array(LogEntrySchema), treeHash: Sha256Schema });
export type EngineReplayRequest = z.input<typeof EngineReplayRequestSchema>;

export const EngineTasksRequestSchema = TasksFileSchema;

export const WorkspaceFileSchema = z.object({
  path: z.string(),
  content: z.string(),
  sha256: Sha256Schema,
  mode: FileModeSchema,
  lines: z.number().int().nonnegative(),
});
export type WorkspaceFile = z.infer<typeof WorkspaceFileSchema>;

/** A marker in a file. `span` covers both marker lines and what is between; without a closing line, the marker's line. */
export const MarkerSchema = z.object({
  file: z.string(),
  name: z.string(),
  span: z.object({ start: z.number().int().positive(), end: z.number().int().positive() }),
  closed: z.boolean(),
});
export type Marker = z.infer<typeof MarkerSchema>;

/** Where generated content for a file belongs. `insertBeforeLine` is N+1 of a file of N lines that has no marker. */
export type MarkerCoordinates =
  | { mode: "new" }
  | { mode: "existing"; span: { start: number; end: number } }
  | { mode: "existing"; insertBeforeLine: number };

export const EngineMarkersRequestSchema = z.object({
  /** Workspace paths; absent: every text file. */
  files: z.array(z.string()).max(1000).optional(),
});
export const FileMarkersSchema = z.object({
  file: z.string(),
  exists: z.boolean(),
  lines: z.number().int().nonnegative(),
  markers: z.array(MarkerSchema),
});
export type FileMarkers = z.infer<typeof FileMarkersSchema>;
