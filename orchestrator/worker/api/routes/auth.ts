import { CreateSessionSchema, CreateTicketSchema, ScopeSchema, SessionSchema, WhoAmISchema } from "@shared/contracts";
import { problem, respond } from "@shared/worker-kit";
import { z } from "zod";
import { clearedCookie, sessionCookie } from "../../services/auth/cookie.ts";
import { createSession } from "../../services/auth/createSession.ts";
import { createToken, CreateTokenSchema } from "../../services/auth/createToken.ts";
import { endSession } from "../../services/auth/endSession.ts";
import { listSessions } from "../../services/auth/listSessions.ts";
import { listTokens } from "../../services/auth/listTokens.ts";
import { refuseForgery } from "../../services/auth/origin.ts";
import { revokeSession } from "../../services/auth/revokeSession.ts";
import { revokeToken } from "../../services/auth/revokeToken.ts";
import { whoAmI } from "../../services/auth/whoAmI.ts";
import { createTicket } from "../../services/hub/createTicket.ts";
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
const cursor = z.string().nullable();
const tag = "Auth";

export function authRoutes(app: App): void {
  signInRoutes(app);
  sessionRoutes(app);
  tokenRoutes(app);
}

function signInRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/auth/session",
      scope: "public",
      tag,
      summary: "Sign in: trade a token for a session's cookie",
      body: { name: "CreateSession", schema: CreateSessionSchema },
      status: 201,
      response: { name: "SignedIn", schema: z.object({ ok, session: SessionSchema }) },
    },
    async (c, ctx, { body }) => {
      // No page of another origin signs a browser in as somebody else. Its body is JSON, which such a page cannot send.
      const forged = refuseForgery(c.env, c.req.raw, false);
      if (forged) return problem(c, forged.error);
      const created = await createSession(ctx, body, c.req.header("user-agent") ?? null);
      const response = respond(c, created, 201);
      if (created.ok) response.headers.append("set-cookie", sessionCookie(c.env, new URL(c.req.url), created.session));
      return response;
    },
  );
  route(
    app,
    {
      method: "get",
      path: "/api/auth/session",
      scope: "signed-in",
      tag,
      summary: "Who the caller is and what they may do",
      response: { name: "Who", schema: z.object({ ok, who: WhoAmISchema }) },
    },
    async (c, ctx) => respond(c, await whoAmI(ctx)),
  );
  route(
    app,
    {
      method: "delete",
      path: "/api/auth/session",
      scope: "signed-in",
      tag,
      summary: "Sign out: end the session and remove its cookie",
      response: { name: "SignedOut", schema: z.object({ ok }) },
    },
    async (c, ctx) => {
      const ended = await endSession(ctx);
      const response = respond(c, ended.ok ? { ok: true } : ended);
      if (ended.ok) response.headers.append("set-cookie", clearedCookie(c.env, new URL(c.req.url)));
      return response;
    },
  );
  route(
    app,
    {
      method: "post",
      path: "/api/auth/ws-ticket",
      scope: "patches:read",
      tag: "Realtime",
      summary: "A ticket for one socket in one room, to be used within 30 s",
      body: { name: "CreateTicket", schema: CreateTicketSchema },
      emptyBody: {},
      status: 201,
      response: {
        name: "TicketCreated",
        schema: z.object({ ok, ticket: z.string(), room: z.string(), expiresAt: z.string() }),
      },
    },
    async (c, ctx, { body }) => respond(c, await createTicket(ctx, body), 201),
  );
}

function sessionRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/auth/sessions",
      scope: "signed-in",
      tag,
      summary: "List one's own sessions, newest first; to an administrator, everyone's",
      query: KeysetSchema,
      response: { name: "SessionList", schema: z.object({ ok, sessions: z.array(SessionSchema), cursor }) },
    },
    async (c, ctx, { query }) => respond(c, await listSessions(ctx, query)),
  );
  route(
    app,
    {
      method: "delete",
      path: "/api/auth/sessions/{id}",
      scope: "signed-in",
      tag,
      summary: "End a session of one's own; an administrator, anyone's",
      response: { name: "SessionEnded", schema: z.object({ ok, session: SessionSchema }) },
    },
    async (c, ctx, { params }) => respond(c, await revokeSession(ctx, { id: params.id ?? "" })),
  );
}

function tokenRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/auth/tokens",
      scope: "tokens:write",
      tag,
      summary: "Make a token, with no more than one's own scopes; it is shown this once",
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
      scope: "tokens:read",
      tag,
      summary: "List the tokens one has made, newest first; to an administrator, all",
      query: KeysetSchema,
      response: { name: "TokenList", schema: z.object({ ok, tokens: z.array(TokenSchema), cursor }) },
    },
    async (c, ctx, { query }) => respond(c, await listTokens(ctx, query)),
  );
  route(
    app,
    {
      method: "delete",
      path: "/api/auth/tokens/{id}",
      scope: "tokens:write",
      tag,
      summary: "Revoke a token for good, and its sessions with it",
      response: { name: "TokenRevoked", schema: z.object({ ok, apiToken: TokenSchema }) },
    },
    async (c, ctx, { params }) => respond(c, await revokeToken(ctx, { id: params.id ?? "" })),
  );
}
