import { fail } from "@shared/contracts";
import { boundedText, problem, respond } from "@shared/worker-kit";
import { wakeSession, WokenSchema } from "../../services/ai-providers/jules/wakeSession.ts";
import { GithubTakenSchema, takeGithubDelivery } from "../../services/webhooks/takeGithubDelivery.ts";
import { type App, route } from "../route.ts";

const MAX_BYTES = 16 * 1024;

/** Doors for senders who sign what they send, in place of a token. */
export function webhookRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/webhooks/jules",
      scope: "public",
      tag: "Webhooks",
      summary: "News of a session of Jules, signed: its execution looks at once",
      response: { name: "Woken", schema: WokenSchema },
    },
    async (c, ctx) => {
      // Signed as it was sent: byte for byte, not as JSON.
      const body = await boundedText(c.req.raw, MAX_BYTES);
      if (body === null) return problem(c, fail("BODY_TOO_LARGE", `a delivery has at most ${MAX_BYTES} bytes`).error);
      const timestamp = c.req.header("x-vibehq-timestamp") ?? null;
      const signature = c.req.header("x-vibehq-signature") ?? null;
      return respond(c, await wakeSession(ctx, { timestamp, signature, body }));
    },
  );
  route(
    app,
    {
      method: "post",
      path: "/api/webhooks/github",
      scope: "public",
      tag: "Webhooks",
      summary: "An event of GitHub, signed: taken once, carried out later",
      response: { name: "GithubTaken", schema: GithubTakenSchema },
    },
    async (c, ctx) => respond(c, await takeGithubDelivery(ctx, c.req.raw, (work) => c.executionCtx.waitUntil(work))),
  );
}
