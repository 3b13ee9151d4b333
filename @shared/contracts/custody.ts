import { z } from "zod";
import { LogReferenceSchema, PatchEventTypeSchema } from "./patch.ts";
import { PhaseMessageTypeSchema } from "./messages.ts";
import { JsonObjectSchema } from "./json.ts";
import { Sha256Schema } from "./ids.ts";

/**
 * One link of a workspace's custody chain, in the one shape that D1, the hub and exports share. A superset of
 * PatchEventSchema. `hash` is the SHA-256 of the RFC 8785 text of the record without `hash`.
 */
export const CustodyRecordSchema = z.object({
  v: z.literal(1),
  workspace_id: z.string(),
  seq: z.number().int().positive(),
  prev_hash: Sha256Schema,
  /** `patch`: a step in a patch's life. `phase`: a message about a factory's work; its `patch_id` is null. */
  kind: z.enum(["patch", "phase"]),
  event_type: z.union([PatchEventTypeSchema, PhaseMessageTypeSchema]),
  ts: z.string(),
  /** Who called, as the door established it. */
  actor: z.string(),
  batch_id: z.string().nullable(),
  order_id: z.string().nullable(),
  project_id: z.string().nullable(),
  patch_id: z.string().nullable(),
  file: z.string().nullable(),
  op: z.string().nullable(),
  task_id: z.string().nullable(),
  ts_check_ok: z.boolean().nullable(),
  diff_path: z.string().nullable(),
  log: LogReferenceSchema.nullable(),
  /** `requester`, `reason`, `phase`, `provider`, `model`, `error`, `message`, `lines_added`, `lines_removed`, … where they apply. */
  meta: JsonObjectSchema,
  hash: Sha256Schema,
});
export type CustodyRecord = z.infer<typeof CustodyRecordSchema>;

/** The rooms of the hub. */
export const RoomSchema = z
  .string()
  .regex(/^(?:all|order:[A-Za-z0-9][A-Za-z0-9._-]{0,99}|project:[A-Za-z0-9][A-Za-z0-9._-]{0,99})$/);

/** A message of a room's stream. `offset` counts from 1 without holes; `prev` is the last one this client was sent, where a filter left some out. */
export interface HubMessage {
  type: CustodyRecord["event_type"];
  offset: number;
  prev?: number;
  payload: CustodyRecord;
}

/** The first message on a socket. `recovered` false: what was missed is no longer kept, reload. */
export interface HubConnected {
  type: "connected";
  room: string;
  epoch: string;
  offset: number;
  recovered: boolean;
  /** How many sockets the room has, this one among them. Absent from an older hub. */
  present?: number;
  ts: string;
}

/** What a client may send: a request to the factory of an order. Answered with `accepted` or `error`, by `requestId`. */
export const SocketRequestSchema = z.object({
  type: z.string(),
  requestId: z.string().max(100).optional(),
  orderId: z.string().optional(),
  payload: JsonObjectSchema.optional(),
});
export type SocketRequest = z.infer<typeof SocketRequestSchema>;
