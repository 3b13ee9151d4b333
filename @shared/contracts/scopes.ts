import { z } from "zod";

/** What a token may do. `admin` stands for all of them. */
export const SCOPES = [
  "admin",
  "workspaces:read",
  "workspaces:write",
  "patches:read",
  "patches:write",
  "patches:revert",
  "events:write",
  "orders:read",
  "orders:write",
  "projects:read",
  "projects:write",
  "tasks:read",
  "tasks:write",
  "requests:write",
  "tokens:read",
  "tokens:write",
  "delivery:read",
  "delivery:write",
  "ai:read",
  "ai:write",
  "hil:read",
  "hil:write",
  "github:read",
  "github:write",
  "health:read",
  "health:write",
  "logs:read",
  "logs:write",
  "alerts:read",
  "alerts:write",
  "ops:read",
  "ops:write",
] as const;
export const ScopeSchema = z.enum(SCOPES);
export type Scope = z.infer<typeof ScopeSchema>;
