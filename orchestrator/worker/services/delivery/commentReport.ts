import { fail, type Failed, type GithubComment, type Result } from "@shared/contracts";
import type { Selectable } from "kysely";
import type { ServiceContext } from "../../context.ts";
import type { OpsDatabase } from "../../database/schema.ts";
import { commentOnIssue, listComments, updateComment } from "../../integrations/github.ts";
import { bearsMarker, commentOf } from "./reportComment.ts";

/** How long an attempt is left alone before another takes it over: longer than any call to GitHub takes. */
const LEASE_MS = 5 * 60_000;
/** An attempt that has come no further than this in its time writes nothing new any more: another may begin. */
const CREATE_WITHIN_MS = LEASE_MS / 2;
/** Pages of a hundred comments that are looked through for ours. */
const MAX_PAGES = 30;
/** Reports that were written while the one before was on its way. */
const ATTEMPTS = 5;

type Pull = Selectable<OpsDatabase["order_pull_requests"]>;
interface Report {
  version: number;
  markdown: string;
  hash: string;
}

/** `none`: there is no pull request or no report; `busy`: another is at it, and will see this report too. */
export type Commented = "none" | "unchanged" | "created" | "updated" | "busy";

/**
 * Brings the one comment on an order's newest pull request to its current report. Of several at once one writes, and looks
 * again for a newer report once it is done. Where what came of an attempt is not known, the next finds its comment by its
 * marker and author. Errors: those of `integrations/github`. Throws where the database does not answer.
 */
export async function commentReport(ctx: ServiceContext, orderId: string): Promise<Result<{ comment: Commented }>> {
  let comment: Commented = "unchanged";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const pull = await currentPullQuery(ctx.db, orderId).executeTakeFirst();
    const report = await reportOf(ctx, orderId);
    if (!pull || !report) return { ok: true, comment: "none" };
    if (pull.comment_hash === report.hash) return { ok: true, comment };
    const mine = await take(ctx, pull);
    if (mine === null) return { ok: true, comment: "busy" };
    const written = await write(ctx, pull, report, mine);
    if (!written.ok) {
      await note(ctx, pull, mine, written);
      return written;
    }
    ({ comment } = written);
    // What was written meanwhile found this attempt busy.
  }
  return { ok: true, comment };
}

export const currentPullQuery = (db: ServiceContext["db"], orderId: string) =>
  db.ops
    .selectFrom("order_pull_requests")
    .selectAll()
    .where("order_id", "=", orderId)
    .orderBy("created_at", "desc")
    .orderBy("number", "desc")
    .limit(1);

async function reportOf(ctx: ServiceContext, orderId: string): Promise<Report | null> {
  const row = await ctx.db.ops
    .selectFrom("delivery_reports")
    .select(["version", "report_md", "content_hash"])
    .where("order_id", "=", orderId)
    .executeTakeFirst();
  return row ? { version: row.version, markdown: row.report_md, hash: row.content_hash } : null;
}

/** Conditional, so that of two at once one writes. Null: another does. */
async function take(ctx: ServiceContext, pull: Pull): Promise<{ by: string; at: number } | null> {
  const now = ctx.now();
  const by = ctx.mintId();
  const taken = await of(ctx, pull)
    .set({ commenting_by: by, commenting_at: now.toISOString() })
    .where((eb) =>
      eb.or([
        eb("commenting_by", "is", null),
        eb("commenting_at", "<", new Date(now.getTime() - LEASE_MS).toISOString()),
      ]),
    )
    .where("comment_hash", "is", pull.comment_hash)
    .returning("number")
    .executeTakeFirst();
  return taken ? { by, at: now.getTime() } : null;
}

async function write(
  ctx: ServiceContext,
  pull: Pull,
  report: Report,
  mine: { by: string; at: number },
): Promise<Result<{ comment: "created" | "updated" }>> {
  const repo = pull.repository;
  const body = commentOf({ orderId: pull.order_id, version: report.version, markdown: report.markdown });
  let known = pull.comment_id;
  if (known !== null) {
    const updated = await updateComment(ctx.env, { repo, id: known, body });
    if (updated.ok) return record(ctx, pull, mine, { id: known, hash: report.hash, comment: "updated" });
    // Somebody has deleted it, or it is not ours as it was thought.
    if (updated.error.code !== "NOT_FOUND" && updated.error.code !== "FORBIDDEN") return updated;
  }
  const found = await findOurs(ctx, pull);
  if (!found.ok) return found;
  known = found.comment?.id ?? null;
  if (known !== null) {
    const updated = await updateComment(ctx.env, { repo, id: known, body });
    return updated.ok ? record(ctx, pull, mine, { id: known, hash: report.hash, comment: "updated" }) : updated;
  }
  if (ctx.now().getTime() - mine.at > CREATE_WITHIN_MS) {
    return fail("UPSTREAM_UNAVAILABLE", "GitHub took too long to show the comments that there are");
  }
  const created = await commentOnIssue(ctx.env, { repo, number: pull.number, body });
  return created.ok
    ? record(ctx, pull, mine, { id: created.comment.id, hash: report.hash, comment: "created" })
    : created;
}

/** Ours that bears the marker, the oldest. Anybody may write a marker; only our own comments are looked at. */
async function findOurs(ctx: ServiceContext, pull: Pull): Promise<Result<{ comment: GithubComment | null }>> {
  let page: number | null = 1;
  while (page !== null) {
    if (page > MAX_PAGES)
      return fail("UPSTREAM_REFUSED", `more than ${MAX_PAGES} pages of comments are not looked through`);
    const listed: Awaited<ReturnType<typeof listComments>> = await listComments(ctx.env, {
      repo: pull.repository,
      number: pull.number,
      per_page: 100,
      page,
    });
    if (!listed.ok) return listed;
    const ours = listed.comments.find(({ mine, body }) => mine && bearsMarker(body, pull.order_id));
    if (ours) return { ok: true, comment: ours };
    page = listed.next;
  }
  return { ok: true, comment: null };
}

async function record<Comment extends Commented>(
  ctx: ServiceContext,
  pull: Pull,
  mine: { by: string },
  told: { id: number; hash: string; comment: Comment },
): Promise<Result<{ comment: Comment }>> {
  await of(ctx, pull)
    .set({
      comment_id: told.id,
      comment_hash: told.hash,
      comment_error: null,
      commenting_by: null,
      commenting_at: null,
    })
    .where("commenting_by", "=", mine.by)
    .execute();
  return { ok: true, comment: told.comment };
}

/** Nothing was written: the next may try at once. In doubt it stays taken, until what came of it must be visible. */
async function note(ctx: ServiceContext, pull: Pull, mine: { by: string }, { error }: Failed): Promise<void> {
  await of(ctx, pull)
    .set({
      comment_error: error.code,
      ...(error.nothingWritten === true ? { commenting_by: null, commenting_at: null } : {}),
    })
    .where("commenting_by", "=", mine.by)
    .execute();
}

const of = (ctx: ServiceContext, { repository, number }: Pull) =>
  ctx.db.ops.updateTable("order_pull_requests").where("repository", "=", repository).where("number", "=", number);
