import { fail, RoomSchema, ScopeSchema, validationError, type Result } from "@shared/contracts";
import { z } from "zod";
import type { Actor } from "../../context.ts";
import type { StoredMessage } from "./MessageLog.ts";

/** The header that carries a subscription from the door to the hub. What arrives from outside under its name is dropped. */
export const SUBSCRIPTION_HEADER = "x-vibehq-subscription";
/** A subscription is kept in the socket's attachment, of which the runtime keeps 16 KiB. */
const MAX_SUBSCRIPTION_CHARACTERS = 8192;

const FILTERS = ["file", "op", "requester", "type"] as const;
const wanted = z.array(z.string().min(1).max(1024)).min(1).max(20).readonly().optional();

/** A message passes if, for each property named here, its own value is one of those listed. */
export const FilterSchema = z.object({ file: wanted, op: wanted, requester: wanted, type: wanted });
export type Filter = z.infer<typeof FilterSchema>;

export const matches = (filter: Filter, message: StoredMessage): boolean =>
  FILTERS.every((name) => {
    const values = filter[name];
    const value = message[name];
    return values === undefined || (value !== null && values.includes(value));
  });

/** Where a client stopped reading. */
export const PositionSchema = z.object({
  epoch: z.string().min(1).max(100),
  offset: z.coerce.number().int().nonnegative(),
});

export const ActorSchema = z.object({
  id: z.string(),
  kind: z.enum(["token", "user", "factory", "container", "system"]),
  scopes: z.array(ScopeSchema).readonly(),
  requesters: z.array(z.string()).readonly().nullable(),
  workspaceId: z.string().nullable(),
  credential: z
    .object({
      kind: z.enum(["token", "session", "access", "ticket"]),
      id: z.string(),
      expiresAt: z.string().nullable(),
    })
    .optional(),
});
export type SerializedActor = z.infer<typeof ActorSchema>;

const RequestSchema = z.object({
  /** Null: everything. */
  filter: FilterSchema.nullable(),
  /** Null: from now on. */
  position: PositionSchema.nullable(),
  /** The client confirms what it has read, and is sent no more than a window ahead of that. */
  acks: z.boolean(),
  /** The client is told how many sockets the room has. */
  presence: z.boolean().default(false),
});
/** Whose it is: who the door says, or whom the room keeps under this ticket. */
export const SubscriptionSchema = z.union([
  RequestSchema.extend({ actor: ActorSchema }),
  RequestSchema.extend({ ticket: z.string() }),
]);
export type Subscription = z.input<typeof SubscriptionSchema>;

export const serializeActor = ({ id, kind, scopes, requesters, workspaceId, credential }: Actor): SerializedActor => ({
  id,
  kind,
  scopes: [...scopes],
  requesters: requesters === null ? null : [...requesters],
  workspaceId,
  ...(credential && { credential }),
});
export const actorOf = ({ credential, ...actor }: SerializedActor): Actor => ({
  ...actor,
  scopes: new Set(actor.scopes),
  ...(credential && { credential }),
});

/** What the query of `/ws` asks for. An empty parameter is an absent one; `file`, `op`, `requester`, `type` may repeat. */
export function parseQuery(query: URLSearchParams): Result<{ room: string; request: z.infer<typeof RequestSchema> }> {
  const one = (name: string): string | undefined => query.get(name) || undefined;
  const room = RoomSchema.safeParse(one("room") ?? "all");
  if (!room.success) return fail("VALIDATION_FAILED", "room: expected all, order:<id> or project:<id>");

  const [epoch, offset] = [one("epoch"), one("offset")];
  const position = epoch === undefined && offset === undefined ? null : PositionSchema.safeParse({ epoch, offset });
  if (position?.success === false) return { ok: false, error: validationError(position.error) };

  const given = FILTERS.map((name) => [name, query.getAll(name).filter((value) => value !== "")] as const);
  const filter = FilterSchema.safeParse(Object.fromEntries(given.filter(([, values]) => values.length > 0)));
  if (!filter.success) return { ok: false, error: validationError(filter.error) };

  return {
    ok: true,
    room: room.data,
    request: {
      filter: Object.keys(filter.data).length > 0 ? filter.data : null,
      position: position?.data ?? null,
      acks: one("acks") === "1",
      presence: one("presence") === "1",
    },
  };
}

/** The subscription as a header's value, which must be ASCII. */
export function encodeSubscription(subscription: Subscription): Result<{ header: string }> {
  const json = JSON.stringify(subscription);
  return new TextEncoder().encode(json).byteLength > MAX_SUBSCRIPTION_CHARACTERS
    ? fail("VALIDATION_FAILED", "the filters are too long")
    : { ok: true, header: encodeURIComponent(json) };
}

/** Throws on what `encodeSubscription` has not written. */
export const decodeSubscription = (header: string): z.infer<typeof SubscriptionSchema> =>
  SubscriptionSchema.parse(JSON.parse(decodeURIComponent(header)));
