import { AttemptClassSchema, TaskTypeSchema } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import type { OutcomeCell } from "./routing/Evidence.ts";
import { rewardOf } from "./routing/reward.ts";

/** Outcomes older than this weigh so little that they are not read: about six half-lives. */
const WINDOW_DAYS = 120;
/** At most so many of the last attempts are read for a decision. */
const MAX_READ = 5_000;
/** At most so many are worked out anew before a decision; what is left waits for the next one. */
const MAX_STALE = 200;

const DAY_MS = 86_400_000;

/**
 * What attempts came to in the last months, by day and kind: what a decision stands on. Attempts whose patches have been
 * spoken of since they were last looked at are worked out anew first, so a revert of yesterday's patch counts today.
 */
export async function readOutcomes(ctx: Pick<ServiceContext, "env" | "now">): Promise<OutcomeCell[]> {
  await refreshOutcomes(ctx);
  const since = new Date(ctx.now().getTime() - WINDOW_DAYS * DAY_MS).toISOString();
  const { results } = await ctx.env.DB_OPS.prepare(CELLS).bind(since, MAX_READ).all<CellRow>();
  return results.map((row) => ({
    provider: row.provider_name,
    model: row.model,
    type: TaskTypeSchema.parse(row.task_type),
    language: row.language,
    day: Date.parse(row.day) / DAY_MS + 0.5,
    weight: row.weight,
    reward: row.reward,
    costs: row.costs,
    costUsd: row.cost_usd,
  }));
}

interface CellRow {
  provider_name: string;
  model: string;
  task_type: string;
  language: string;
  day: string;
  weight: number;
  reward: number;
  costs: number;
  cost_usd: number;
}

export const CELLS = `
  SELECT provider_name, model, task_type, language, day, sum(weight) AS weight, sum(weight * reward) AS reward,
    count(cost_usd) AS costs, coalesce(sum(cost_usd), 0) AS cost_usd
  FROM (
    SELECT provider_name, model, task_type, language, substr(at, 1, 10) AS day, weight, reward, cost_usd
    FROM ai_router_outcomes WHERE at >= ?1 AND reward IS NOT NULL ORDER BY at DESC LIMIT ?2
  )
  GROUP BY 1, 2, 3, 4, 5 ORDER BY 5, 1, 2, 3, 4`;

/** Works out the rewards of attempts whose patches' events have said something new. Doing it twice changes nothing. */
async function refreshOutcomes(ctx: Pick<ServiceContext, "env">): Promise<void> {
  const db = ctx.env.DB_OPS;
  const { results } = await db.prepare(STALE).bind(MAX_STALE).all<StaleRow>();
  if (results.length === 0) return;
  const updates = results.map((row) => {
    const { patches, validated, applied } = row;
    const ended = AttemptClassSchema.parse(row.class);
    return { ...row, ...rewardOf(ended, patches > 0 ? { patches, validated, applied } : null) };
  });
  await db.prepare(REWARD).bind(JSON.stringify(updates)).run();
}

interface StaleRow {
  execution_id: string;
  attempt: number;
  class: string;
  /** The last event of its patches that this was read from. */
  seen: number;
  patches: number;
  validated: number;
  applied: number;
}

/** Each stale attempt with its batch's patches by their last word. */
export const STALE = `
  WITH stale AS (SELECT execution_id, attempt, class, batch_id FROM ai_router_outcomes WHERE stale = 1 ORDER BY at LIMIT ?1),
  patches AS (
    SELECT DISTINCT stale.batch_id, e.workspace_id, e.patch_id
    FROM stale CROSS JOIN patch_events AS e ON e.batch_id = stale.batch_id
    WHERE e.event_type = 'patch_applied'
  ),
  words AS (
    SELECT batch_id, (
      SELECT l.event_type FROM patch_events AS l
      WHERE l.patch_id = patches.patch_id AND l.workspace_id = patches.workspace_id ORDER BY l.seq DESC LIMIT 1
    ) AS word, (
      SELECT max(l.id) FROM patch_events AS l
      WHERE l.patch_id = patches.patch_id AND l.workspace_id = patches.workspace_id
    ) AS seen
    FROM patches
  )
  SELECT stale.execution_id, stale.attempt, stale.class, coalesce(max(words.seen), 0) AS seen,
    count(words.word) AS patches,
    coalesce(sum(words.word = 'patch_validated'), 0) AS validated,
    coalesce(sum(words.word = 'patch_applied'), 0) AS applied
  FROM stale LEFT JOIN words ON words.batch_id = stale.batch_id
  GROUP BY stale.execution_id, stale.attempt, stale.class`;

/** What was said between reading and writing keeps its row stale: then an event newer than the last one seen is there. */
export const REWARD = `
  UPDATE ai_router_outcomes
  SET reward = told.value ->> 'reward', weight = told.value ->> 'weight', stale = coalesce((
    SELECT max(l.id) > (told.value ->> 'seen') FROM patch_events AS e
    JOIN patch_events AS l ON l.patch_id = e.patch_id AND l.workspace_id = e.workspace_id
    WHERE e.batch_id = ai_router_outcomes.batch_id AND e.event_type = 'patch_applied'
  ), 0)
  FROM json_each(?1) AS told
  WHERE execution_id = told.value ->> 'execution_id' AND attempt = told.value ->> 'attempt'`;
