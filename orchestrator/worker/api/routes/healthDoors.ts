import { fail, HEALTH_CHECK_PATHS, HealthQuickSchema, HealthResultSchema, HealthStatusSchema } from "@shared/contracts";
import { answerHealthRequest, parseSigned, problem, readSigned, realClock, respond } from "@shared/worker-kit";
import { z } from "zod";
import { ownDoors } from "../../services/health/ownHealth.ts";
import { submitResult } from "../../services/health/submitResult.ts";
import { healthSecretOf } from "../../services/health/targets.ts";
import { type App, type NamedSchema, route } from "../route.ts";

const tag = "Health between services";
const answer = (name: string, shape: z.ZodRawShape): NamedSchema => ({
  name,
  schema: z.object({ ok: z.literal(true), ...shape }),
});

/**
 * The doors that services come to: each request is signed with the secret that Workers share, and no session or token
 * counts. So there is nothing that a page of another origin could use, and these paths alone ask for no header against
 * that.
 */
export function healthDoorRoutes(app: App): void {
  const own = (method: "get" | "post", path: string, summary: string, response: NamedSchema): void =>
    route(app, { method, path, scope: "signed", tag, summary, response }, async (c, ctx) => {
      const answered = await answerHealthRequest(c.req.raw, {
        doors: ownDoors(ctx, { ...realClock, now: () => ctx.now() }),
        secret: healthSecretOf(c.env),
        now: () => ctx.now(),
        background: (work) => c.executionCtx.waitUntil(work),
      });
      return answered ?? problem(c, fail("NOT_FOUND", "there is nothing at this address").error);
    });
  own(
    "post",
    HEALTH_CHECK_PATHS.execute,
    "Check this Worker",
    answer("HealthAccepted", { worker_check_uuid: z.string() }),
  );
  own("get", HEALTH_CHECK_PATHS.quick, "Who answers here", answer("HealthQuickAnswer", { quick: HealthQuickSchema }));
  own(
    "get",
    HEALTH_CHECK_PATHS.status,
    "What this isolate checks",
    answer("HealthStatusAnswer", { status: HealthStatusSchema }),
  );
  own(
    "get",
    HEALTH_CHECK_PATHS.result,
    "A result this isolate holds",
    answer("HealthHeldResult", { result: HealthResultSchema }),
  );
  route(
    app,
    {
      method: "post",
      path: HEALTH_CHECK_PATHS.result,
      scope: "signed",
      tag,
      summary: "The callback of checks: a Worker's result, once",
      documents: { name: "HealthResult", schema: HealthResultSchema },
      response: answer("HealthResultTaken", { status: z.string() }),
    },
    async (c, ctx) => {
      const read = await readSigned(c.req.raw, { secret: healthSecretOf(c.env), now: () => ctx.now() });
      if (!read.ok) {
        const isForged = read.error.code === "UNAUTHENTICATED";
        return problem(c, isForged ? fail("HEALTH_CALLBACK_FORGED", read.error.message).error : read.error);
      }
      const parsed = await parseSigned(read.body, c.req.header("content-type") ?? null);
      if (!parsed.ok) return problem(c, parsed.error);
      return respond(c, await submitResult(ctx, parsed.value, { kind: "signed" }));
    },
  );
}
