import { createHash } from "node:crypto";
import { fail, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { readSigned } from "./readSigned.ts";
import { GithubEventSchema, SaidSchema, WANTED } from "./said.ts";

/** A secret that a deployment may leave out: then nothing is taken. */
type WebhookEnv = Env & { GITHUB_WEBHOOK_SECRET?: string };
const NamesSchema = z.object({
  delivery: z.string().regex(/^[\w-]{8,100}$/),
  event: z.string().regex(/^[a-z_]{1,50}$/),
});

export const GithubTakenSchema = z.object({
  ok: z.literal(true),
  /** Whether it is new and something is done about it. */
  taken: z.boolean(),
  /** Nothing is done about events of this kind, such as a ping. */
  ignored: z.boolean(),
});
type Taken = Omit<z.infer<typeof GithubTakenSchema>, "ok">;

/**
 * Takes an event of GitHub in, once by its delivery's number and by its body, and hands it to the queue, for which the
 * sender does not wait: `background` keeps what is left alive. What the queue does not take, or loses, is swept. Errors:
 * UNAUTHENTICATED where it is not signed with GITHUB_WEBHOOK_SECRET, BODY_TOO_LARGE, VALIDATION_FAILED.
 */
export async function takeGithubDelivery(
  ctx: ServiceContext,
  request: Request,
  background: (work: Promise<void>) => void,
): Promise<Result<Taken>> {
  const { GITHUB_WEBHOOK_SECRET: secret }: WebhookEnv = ctx.env;
  if (secret === undefined || secret === "") return fail("UNAUTHENTICATED", "the delivery is not signed as it must be");
  const signature = request.headers.get("x-hub-signature-256");
  const read = await readSigned(request, { secret, signature, wanted: WANTED });
  if (!read.ok) return read;
  const named = NamesSchema.safeParse({
    delivery: request.headers.get("x-github-delivery"),
    event: request.headers.get("x-github-event"),
  });
  if (!named.success) return fail("VALIDATION_FAILED", "a delivery names its number and its event");
  const { delivery } = named.data;
  const event = GithubEventSchema.safeParse(named.data.event);
  if (!event.success) return { ok: true, taken: false, ignored: true };
  if (read.picked === null) return fail("VALIDATION_FAILED", "the delivery is no JSON of an object");
  const said = SaidSchema.safeParse(read.picked);
  if (!said.success) return { ok: false, error: validationError(said.error) };
  const row = await ctx.env.DB_OPS.prepare(TAKE)
    .bind(
      delivery,
      createHash("sha256").update(`${event.data}\n${read.sha256}`).digest("hex"),
      event.data,
      JSON.stringify(said.data),
      ctx.now().toISOString(),
    )
    .run();
  if (row.meta.changes === 0) return { ok: true, taken: false, ignored: false };
  background(send(ctx, delivery));
  return { ok: true, taken: true, ignored: false };
}

async function send(ctx: ServiceContext, delivery: string): Promise<void> {
  const queue = queueOf(ctx.env);
  if (queue === undefined) {
    ctx.log.warn("there is no queue for deliveries; they are swept", { delivery });
    return;
  }
  try {
    await queue.send({ delivery });
  } catch (error) {
    ctx.log.warn("a delivery's message could not be sent; it is swept", { delivery, error });
  }
}

/** A deployment may leave the queue out. */
export const queueOf = (env: { INSTANCE: string; GITHUB_QUEUE?: Queue }): Queue | undefined => env.GITHUB_QUEUE;

const TAKE = `
  INSERT INTO github_deliveries (delivery, body_hash, event, said, received_at) VALUES (?1, ?2, ?3, ?4, ?5)
  ON CONFLICT DO NOTHING`;
