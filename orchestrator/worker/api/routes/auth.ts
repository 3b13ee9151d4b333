import { ScopeSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { createToken, CreateTokenSchema } from "../../services/auth/createToken.ts";
import { listTokens } from "../../services/auth/listTokens.ts";
import { revokeToken } from "../../services/auth/revokeToken.ts";
import { KeysetSchema } from "../../services/keyset.ts";
import { type App, route } from "../route.ts";

const TokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(ScopeSchema),
  requesters: z.array(z.string()).nullable(),
  workspaceId: z.string().nullable(),
  createdBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
const ok = z.literal(true);
const tag = "Auth";

export function authRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/auth/tokens",
      scope: "admin",
      tag,
      summary: "Make a token; it is shown this once",
      body: { name: "CreateToken", schema: CreateTokenSchema },
      status: 201,
      response: { name: "TokenCreated", schema: z.object({ ok, token: z.string(), apiToken: TokenSchema }) },
    },
    async (c, ctx, { body }) => respond(c, await createToken(ctx, body), 201),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/auth/tokens",
      scope: "admin",
      tag,
      summary: "List tokens, newest first",
      query: KeysetSchema,
      response: {
        name: "TokenList",
        schema: z.object({ ok, tokens: z.array(TokenSchema), cursor: z.string().nullable() }),
      },
    },
    async (c, ctx, { query }) => respond(c, await listTokens(ctx, query)),
  );
  route(
    app,
    {
      method: "delete",
      path: "/api/auth/tokens/{id}",
      scope: "admin",
      tag,
      summary: "Revoke a token for good",
      response: { name: "TokenRevoked", schema: z.object({ ok, apiToken: TokenSchema }) },
    },
    async (c, ctx, { params }) => respond(c, await revokeToken(ctx, { id: params.id ?? "" })),
  );
}
