import { z } from "zod";
import { RoomSchema } from "./custody.ts";
import { ScopeSchema } from "./scopes.ts";

/** A browser's sign-in: an API token traded for a cookie. It lasts no longer than its token, and ends with it. */
export const SessionSchema = z.object({
  id: z.string(),
  /** Whose it is, as events name it: `token:<id>`. */
  actor: z.string(),
  scopes: z.array(ScopeSchema),
  /** What the browser called itself when it signed in. */
  userAgent: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
  /** When it was last read from storage, which is every 30 s at most while it is used. */
  lastUsedAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  /** Whether it is the one that asks. */
  current: z.boolean(),
});
export type Session = z.infer<typeof SessionSchema>;

export const CreateSessionSchema = z.strictObject({ token: z.string().min(1).max(512) });

/** How a caller showed who it is. */
export const CredentialKindSchema = z.enum(["token", "session", "access"]);
export type CredentialKind = z.infer<typeof CredentialKindSchema>;

/** Who is asking, and what they may do. */
export const WhoAmISchema = z.object({
  actor: z.string(),
  via: CredentialKindSchema,
  scopes: z.array(ScopeSchema),
  /** Whom the caller may name as requester; null: anyone. */
  requesters: z.array(z.string()).nullable(),
  /** The one workspace the caller may touch; null: any. */
  workspaceId: z.string().nullable(),
  /** When the credential ends by itself; null: never. */
  expiresAt: z.string().nullable(),
  session: SessionSchema.nullable(),
  /** Where this deployment's GitHub shows its pages, `https://github.com` or a server of one's own. */
  githubUrl: z.string(),
});
export type WhoAmI = z.infer<typeof WhoAmISchema>;

/** Asks for a ticket: one socket, into this room, with these scopes, soon. */
export const CreateTicketSchema = z.strictObject({
  room: RoomSchema.default("all"),
  /** Default: those of `patches:read` and `requests:write` that the caller has. */
  scopes: z
    .array(z.enum(["patches:read", "requests:write"]))
    .min(1)
    .optional(),
});

/** What a state-changing call with a cookie must carry, with any value: a page of another origin cannot send it unasked. */
export const CSRF_HEADER = "x-vibehq-csrf";
