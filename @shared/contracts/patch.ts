import { z } from "zod";
import { BatchIdSchema, PatchIdSchema, ProjectIdSchema, Sha256Schema, WorkspaceIdSchema } from "./ids.ts";
import { JsonSchema } from "./json.ts";
import { PatchEvents, type PatchEventType } from "./patchEvents.ts";

/** A batch is at most this many bytes of JSON. */
export const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** A file the engine accepts is at most this many bytes. */
export const MAX_FILE_BYTES = 32 * 1024 * 1024;
export const MAX_PATCHES_PER_BATCH = 10_000;

/** What the sender believes of the file before the batch; a patch whose belief does not hold is refused. */
export const ExpectSchema = z.object({
  /** SHA-256 of the whole file's bytes. */
  sha256: Sha256Schema.optional(),
  /** The exact text of the range it replaces, or of the line it anchors to. */
  text: z.string().optional(),
});

export const PatchMetadataSchema = z.object({
  provider: z.string().min(1),
  model: z.string().optional(),
  confidence: z.number().min(0).max(1).optional(),
});

const line = () => z.number().int().positive();

const common = {
  file: z.string().min(1),
  taskId: z.string().optional(),
  /** The patch id. Minted where absent. */
  id: PatchIdSchema.optional(),
  expect: ExpectSchema.optional(),
  metadata: PatchMetadataSchema.optional(),
};

const block = {
  block: z.string().optional(),
  /** A path that `patchctl` reads and sends as `block`; every other door refuses it. */
  blockFile: z.string().optional(),
};

const openSpace = { openSpace: z.boolean().default(false) };

/** One edit of one file. Lines are 1-based and inclusive. */
export const PatchOperationSchema = z.discriminatedUnion("op", [
  z
    .object({ op: z.literal("replace-block"), ...common, start: line(), end: line(), ...block, ...openSpace })
    .refine((patch) => patch.end >= patch.start, { path: ["end"], error: "end must not be before start" }),
  z.object({ op: z.literal("insert-before"), ...common, line: line(), ...block, ...openSpace }),
  z.object({ op: z.literal("insert-after"), ...common, line: line(), ...block, ...openSpace }),
  z.object({ op: z.literal("append"), ...common, ...block }),
  z.object({ op: z.literal("prepend"), ...common, ...block }),
  /** A unified diff of one or many files; `file` is not given, the diff names its own. Expands to `id.1…n`. */
  z.object({ op: z.literal("apply-diff"), ...common, file: z.string().default(""), diff: z.string().min(1) }),
  z.object({
    op: z.literal("search-replace"),
    ...common,
    search: z.string().min(1),
    replace: z.string(),
    expectedCount: z.number().int().positive().default(1),
  }),
  z.object({ op: z.literal("create-file"), ...common, ...block }),
  z.object({ op: z.literal("delete-file"), ...common }),
  z.object({ op: z.literal("rename-file"), ...common, to: z.string().min(1) }),
  z.object({
    op: z.literal("replace-marker"),
    ...common,
    /** The marker's name: `X` in `###FINAL_MILE_PROMPT__X###`. */
    marker: z.string().regex(/^[A-Z0-9_]+$/, "a marker's name is of A–Z, 0–9 and _"),
    ...block,
    /** Keep the two marker lines and replace what stands between them. */
    keepMarkers: z.boolean().default(false),
    ...openSpace,
  }),
]);

export type PatchOperation = z.infer<typeof PatchOperationSchema>;
export type PatchOperationInput = z.input<typeof PatchOperationSchema>;
export type PatchOp = PatchOperation["op"];
export const PATCH_OPS = [
  "replace-block",
  "insert-before",
  "insert-after",
  "append",
  "prepend",
  "apply-diff",
  "search-replace",
  "create-file",
  "delete-file",
  "rename-file",
  "replace-marker",
] as const satisfies readonly PatchOp[];

export const GateNameSchema = z.enum(["guardedRegions", "changeLimit", "omission", "secrets", "syntax", "types"]);
export type GateName = z.infer<typeof GateNameSchema>;
export const GateLevelSchema = z.enum(["off", "warn", "fail"]);
export type GateLevel = z.infer<typeof GateLevelSchema>;

/** Patches applied together or not at all. At most 8 MiB as JSON. */
export const PatchBatchSchema = z.object({
  orderId: z.string().optional(),
  requester: z.string().default("agent"),
  reason: z.string().default(""),
  branch: z.string().default(""),
  patches: z.array(PatchOperationSchema).min(1).max(MAX_PATCHES_PER_BATCH),
  batchId: BatchIdSchema.optional(),
  workspaceId: WorkspaceIdSchema.optional(),
  projectId: ProjectIdSchema.optional(),
  phase: z.string().optional(),
  /** `original`: every coordinate and path speaks of the state before the batch. `sequential`: of the state left by the patches before it. */
  coordinates: z.enum(["original", "sequential"]).default("original"),
  dryRun: z.boolean().default(false),
  check: z.enum(["none", "syntax", "types"]).default("syntax"),
  onTypeErrors: z.enum(["fail", "report"]).default("fail"),
  /** The largest share of a file's lines, in percent, that the batch may change. */
  maxChangedPercent: z.number().min(0).max(100).optional(),
  /** Tightens the workspace's policy; it cannot loosen it. */
  gates: z.partialRecord(GateNameSchema, GateLevelSchema).optional(),
});

export type PatchBatch = z.infer<typeof PatchBatchSchema>;
export type PatchBatchInput = z.input<typeof PatchBatchSchema>;

export const PatchEventTypeSchema = z.enum(PatchEvents);

/** Names the engine's log entry that an applied or reverted event stands on. */
export const LogReferenceSchema = z.object({
  seq: z.number().int().positive(),
  hash: Sha256Schema,
  treeAfter: Sha256Schema,
});
export type LogReference = z.infer<typeof LogReferenceSchema>;

/** One step in a patch's life. `meta.error` holds the error of a failed one. */
export const PatchEventSchema = z.object({
  patch_id: z.string().min(1),
  file: z.string(),
  op: z.string().min(1),
  task_id: z.string().nullable().optional(),
  /** Null where no type check ran. */
  ts_check_ok: z.boolean().nullable().optional(),
  diff_path: z.string().optional(),
  meta: JsonSchema.optional(),
  ts: z.string().optional(),
  /** Absent: see `eventTypeOf`. */
  event_type: PatchEventTypeSchema.optional(),
  log: LogReferenceSchema.optional(),
});

export type PatchEvent = z.infer<typeof PatchEventSchema>;

/** An event without a type failed if it carries an error, and was applied otherwise. */
export function eventTypeOf(event: Pick<PatchEvent, "event_type" | "meta">): PatchEventType {
  if (event.event_type) return event.event_type;
  const { meta } = event;
  const hasError =
    typeof meta === "object" &&
    meta !== null &&
    !Array.isArray(meta) &&
    meta.error !== undefined &&
    meta.error !== null;
  return hasError ? PatchEvents.PATCH_FAILED : PatchEvents.PATCH_APPLIED;
}
