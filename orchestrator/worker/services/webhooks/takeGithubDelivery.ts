import { createHash } from "node:crypto";
import { verify } from "@octokit/webhooks-methods";
import { fail, type Result } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";

/** A secret that a deployment may leave out: then nothing is taken. */
type WebhookEnv = Env & { GITHUB_WEBHOOK_SECRET?: string };
const EventSchema = z.string().regex(/^[a-z_]{1,50}$/);
const DeliverySchema = z.string().regex(/^[\w-]{8,100}$/);

/** What of GitHub's bodies is used; all else is dropped at the door. */
export const SaidSchema = z.object({
  action: z.string().max(50).optional(),
  repository: z.object({ full_name: z.string().max(250) }).optional(),
  issue: z
    .object({
      number: z.number().int(),
      html_url: z.string().max(500),
      state: z.enum(["open", "closed"]),
      updated_at: z.iso.datetime(),
      pull_request: z.unknown().optional(),
    })
    .optional(),
});
export type Said = z.infer<typeof SaidSchema>;

export const GithubTakenSchema = z.object({
  ok: z.literal(true),
  /** Whether it is new; one that was taken before changes nothing. */
  taken: z.boolean(),
});

export interface GithubDelivery {
  delivery: string | null;
  event: string | null;
  /** `sha256=` and the HMAC-SHA256 of the body under the secret. */
  signature: string | null;
  body: string;
}

/**
 * Takes an event of GitHub in, once by its delivery's number and by its body, and hands it to the queue; what the queue
 * loses is swept. UNAUTHENTICATED where it is not signed with GITHUB_WEBHOOK_SECRET.
 */
export async function takeGithubDelivery(
  ctx: ServiceContext,
  { delivery, event, signature, body }: GithubDelivery,
): Promise<Result<{ taken: boolean }>> {
  // One answer for all of it: which part was wrong is of use to a forger alone.
  const refused = fail("UNAUTHENTICATED", "the delivery is not signed as it must be");
  const { GITHUB_WEBHOOK_SECRET: secret }: WebhookEnv = ctx.env;
  if (secret === undefined || secret === "" || signature === null || body === "") return refused;
  if (!/^sha256=[0-9a-f]{64}$/.test(signature) || !(await verify(secret, body, signature))) return refused;
  const named = z.tuple([DeliverySchema, EventSchema]).safeParse([delivery, event]);
  if (!named.success) return fail("VALIDATION_FAILED", "a delivery names its number and its event");
  const said = SaidSchema.safeParse(jsonOf(body));
  if (!said.success) return fail("VALIDATION_FAILED", "the delivery is of an unknown form");
  const [number, kind] = named.data;
  const row = await ctx.env.DB_OPS.prepare(TAKE)
    .bind(
      number,
      createHash("sha256").update(`${kind}\n${body}`).digest("hex"),
      kind,
      JSON.stringify(said.data),
      ctx.now().toISOString(),
    )
    .run();
  if (row.meta.changes === 0) return { ok: true, taken: false };
  try {
    await ctx.env.GITHUB_QUEUE.send({ delivery: number });
  } catch (error) {
    ctx.log.warn("a delivery's message could not be sent; it is swept", { delivery: number, error });
  }
  return { ok: true, taken: true };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON has an unknown form, which the caller is told.
    return null;
  }
}

const TAKE = `
  INSERT INTO github_deliveries (delivery, body_hash, event, said, received_at) VALUES (?1, ?2, ?3, ?4, ?5)
  ON CONFLICT DO NOTHING`;
