import type { GithubPullRequest } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";

/** A pull request as GitHub tells of it, in an answer or an event. */
export type SeenPull = Pick<GithubPullRequest, "number" | "state" | "draft" | "merged_at" | "html_url"> &
  Pick<GithubPullRequest, "head" | "base" | "created_at" | "updated_at" | "closed_at">;

export interface SeenOf {
  orderId: string;
  /** `owner/name`. */
  repository: string;
  pull: SeenPull;
  /** The event's action; null: it was asked for. */
  action: string | null;
  /** Whether the order's chain is to be told that it is open. */
  told: boolean;
}

const iso = (text: string): string => new Date(text).toISOString();
const isoOrNull = (text: string | null): string | null => (text === null ? null : iso(text));

/**
 * The statement that takes over what GitHub says of an order's pull request. What is older changes nothing. GitHub's
 * clock has seconds: of two words of one second a closed one wins over an open one, and the one that tells of new commits
 * over another. What was merged stays so.
 */
export function pullStatement(database: D1Database, { orderId, repository, pull, action, told }: SeenOf) {
  const state = pull.merged_at === null ? pull.state : "merged";
  return database
    .prepare(SEEN)
    .bind(
      repository,
      pull.number,
      orderId,
      pull.html_url,
      pull.head.ref,
      pull.head.sha,
      pull.base.ref,
      state,
      pull.draft ? 1 : 0,
      iso(pull.created_at),
      iso(pull.updated_at),
      isoOrNull(pull.closed_at),
      isoOrNull(pull.merged_at),
      told ? "open" : null,
      action === "synchronize" ? 1 : 0,
    );
}

const SEEN = `
  INSERT INTO order_pull_requests (repository, number, order_id, url, head_ref, head_sha, base_ref, state, draft,
    created_at, gh_updated_at, closed_at, merged_at, told_state)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
  ON CONFLICT (repository, number) DO UPDATE SET
    url = excluded.url, head_ref = excluded.head_ref, head_sha = excluded.head_sha, base_ref = excluded.base_ref,
    state = excluded.state, draft = excluded.draft, gh_updated_at = excluded.gh_updated_at,
    closed_at = excluded.closed_at, merged_at = excluded.merged_at
  WHERE order_pull_requests.state <> 'merged' AND (
    order_pull_requests.gh_updated_at < excluded.gh_updated_at
    OR (order_pull_requests.gh_updated_at = excluded.gh_updated_at
      AND (excluded.state <> 'open' OR (?15 = 1 AND order_pull_requests.state = 'open'))))`;

/** Puts a pull request on record that we opened, or found open. */
export async function recordPullRequest(ctx: ServiceContext, seen: Omit<SeenOf, "action" | "told">): Promise<void> {
  await pullStatement(ctx.env.DB_OPS, { ...seen, action: null, told: true }).run();
}
