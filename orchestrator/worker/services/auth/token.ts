import { type Scope, ScopeSchema } from "@shared/contracts";
import { z } from "zod";
import type { Selectable } from "kysely";
import type { OpsDatabase } from "../../database/schema.ts";

/** A token as an administrator sees it; the secret part was shown once, when it was made. */
export interface ApiToken {
  id: string;
  name: string;
  /** What the token begins with; enough to tell which one it is. */
  prefix: string;
  scopes: Scope[];
  /** Whom its holder may name as requester; null: anyone. */
  requesters: string[] | null;
  /** The one workspace it is for; null: any. */
  workspaceId: string | null;
  createdBy: string;
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

export type ApiTokenRow = Selectable<OpsDatabase["api_tokens"]>;

const ScopesSchema = z.array(ScopeSchema);
const RequestersSchema = z.array(z.string()).nullable();

export const scopesOf = (json: string): Scope[] => ScopesSchema.parse(JSON.parse(json));
export const requestersOf = (json: string | null): string[] | null =>
  RequestersSchema.parse(json === null ? null : JSON.parse(json));

export const tokenOfRow = (row: ApiTokenRow): ApiToken => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  scopes: scopesOf(row.scopes),
  requesters: requestersOf(row.requesters),
  workspaceId: row.workspace_id,
  createdBy: row.created_by,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  lastUsedAt: row.last_used_at,
});
