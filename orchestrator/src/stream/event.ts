import type { CustodyRecord, JsonObject } from "@shared/contracts";
import type { PatchLog } from "@shared/client";
import { z } from "zod";
import { instant } from "../lib/format.ts";

/** One event as the lists show it, whether it came over the socket or from the log. */
export interface StreamEvent {
  /** Names the event wherever it came from: workspace and place in its chain. */
  key: string;
  workspace: string;
  seq: number;
  type: string;
  kind: "patch" | "phase";
  /** Milliseconds since the epoch. */
  at: number;
  patchId: string | null;
  batchId: string | null;
  orderId: string | null;
  projectId: string | null;
  taskId: string | null;
  file: string;
  op: string;
  actor: string;
  requester: string | null;
  reason: string | null;
  phase: string | null;
  provider: string | null;
  model: string | null;
  errorCode: string | null;
  message: string | null;
  linesAdded: number | null;
  linesRemoved: number | null;
}

const text = z.string().nullable().catch(null);
const number = z.number().nullable().catch(null);
const MetaSchema = z
  .object({
    requester: text,
    reason: text,
    phase: text,
    provider: text,
    model: text,
    message: text,
    lines_added: number,
    lines_removed: number,
    error: z.object({ code: text, message: text }).nullable().catch(null),
  })
  .partial();

type Told = Pick<
  StreamEvent,
  "requester" | "reason" | "phase" | "provider" | "model" | "errorCode" | "message" | "linesAdded" | "linesRemoved"
>;

function toldBy(meta: JsonObject): Told {
  const told = MetaSchema.parse(meta);
  return {
    requester: told.requester ?? null,
    reason: told.reason ?? null,
    phase: told.phase ?? null,
    provider: told.provider ?? null,
    model: told.model ?? null,
    errorCode: told.error?.code ?? null,
    message: told.error?.message ?? told.message ?? null,
    linesAdded: told.lines_added ?? null,
    linesRemoved: told.lines_removed ?? null,
  };
}

export const eventKey = (workspace: string, seq: number): string => `${workspace}\u0000${seq}`;

export const eventOfRecord = (record: CustodyRecord): StreamEvent => ({
  key: eventKey(record.workspace_id, record.seq),
  workspace: record.workspace_id,
  seq: record.seq,
  type: record.event_type,
  kind: record.kind,
  at: Date.parse(record.ts),
  patchId: record.patch_id,
  batchId: record.batch_id,
  orderId: record.order_id,
  projectId: record.project_id,
  taskId: record.task_id,
  file: record.file ?? "",
  op: record.op ?? "",
  actor: record.actor,
  ...toldBy(record.meta),
});

const RowSchema = z.looseObject({
  workspace_id: z.string(),
  seq: z.number(),
  batch_id: text,
  order_id: text,
  project_id: text,
  actor: z.string(),
  requester: text,
  reason: text,
  phase: text,
  provider: text,
  model: text,
  error_code: text,
  meta: text,
});

/** Null for a row that is not this house's: one without its place in a chain. */
export function eventOfLog(row: PatchLog): StreamEvent | null {
  const parsed = RowSchema.safeParse(row);
  if (!parsed.success) return null;
  const known = parsed.data;
  const told = toldBy(objectOf(known.meta));
  return {
    key: eventKey(known.workspace_id, known.seq),
    workspace: known.workspace_id,
    seq: known.seq,
    type: row.event_type,
    kind: "patch",
    at: instant(row.created_at),
    patchId: row.patch_id,
    batchId: known.batch_id,
    orderId: known.order_id,
    projectId: known.project_id,
    taskId: row.task_id,
    file: row.file_path,
    op: row.op,
    actor: known.actor,
    ...told,
    requester: known.requester ?? told.requester,
    reason: known.reason ?? told.reason,
    phase: known.phase ?? told.phase,
    provider: known.provider ?? told.provider,
    model: known.model ?? told.model,
    errorCode: known.error_code ?? told.errorCode,
  };
}

const ObjectSchema = z.record(z.string(), z.json());

function objectOf(meta: string | null): JsonObject {
  if (meta === null) return {};
  try {
    return ObjectSchema.catch({}).parse(JSON.parse(meta));
  } catch {
    // What a row says beside its columns is missing from the list then; the patch's own page reads the chain.
    return {};
  }
}
