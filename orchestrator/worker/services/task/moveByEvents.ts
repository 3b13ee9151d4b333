import {
  canMove,
  type CustodyRecord,
  PatchEventTypeSchema,
  TASK_STATUS_OF_EVENT,
  TASK_TRANSITIONS,
  type TaskStatus,
  TaskStatusSchema,
} from "@shared/contracts";

interface Move {
  id: string;
  to: TaskStatus;
  /** From where the move is legal. */
  from: TaskStatus[];
  at: string;
}

/** Moves the tasks named in `?1` that are where the move is legal, if the cursor of workspace `?2` stands at `?3`. */
export const MOVE_TASKS = `
UPDATE tasks SET status = move.value ->> 'to', updated_at = move.value ->> 'at'
FROM json_each(?1) AS move
WHERE tasks.id = move.value ->> 'id'
  AND tasks.status IN (SELECT value FROM json_each(move.value, '$.from'))
  AND EXISTS (SELECT 1 FROM orders WHERE orders.id = tasks.order_id AND orders.workspace_id = ?2)
  AND EXISTS (SELECT 1 FROM workspace_cursors WHERE workspace_id = ?2 AND seq = ?3)`;

/**
 * Lets a workspace's patch events move the status of the tasks they name: one D1 batch that does its work only if the
 * workspace's cursor stands at `expectedSeq`, and moves it to `newSeq`. So a repeated or racing delivery changes
 * nothing. A move the state machine does not know is skipped: a cancelled task stays cancelled. Only tasks of orders
 * that work in this workspace move. Answers with where the cursor stands now.
 */
export async function moveTasksByEvents(
  env: Pick<Env, "DB_PROJECTS">,
  workspaceId: string,
  records: readonly CustodyRecord[],
  expectedSeq: number,
  newSeq: number,
): Promise<{ seq: number }> {
  const db = env.DB_PROJECTS;
  const last = records.at(-1)?.ts ?? "";
  const results = await db.batch<{ seq: number }>([
    db
      .prepare(
        "INSERT INTO workspace_cursors (workspace_id, seq, updated_at) VALUES (?1, 0, ?2) ON CONFLICT DO NOTHING",
      )
      .bind(workspaceId, last),
    ...stepsOf(records).map((moves) => db.prepare(MOVE_TASKS).bind(JSON.stringify(moves), workspaceId, expectedSeq)),
    db
      .prepare("UPDATE workspace_cursors SET seq = ?3, updated_at = ?4 WHERE workspace_id = ?1 AND seq = ?2")
      .bind(workspaceId, expectedSeq, newSeq, last),
    db.prepare("SELECT seq FROM workspace_cursors WHERE workspace_id = ?1").bind(workspaceId),
  ]);
  return { seq: results.at(-1)?.results[0]?.seq ?? 0 };
}

/**
 * The moves as few statements: the k-th moves of all tasks are one. What a task is asked to become twice in a row it
 * becomes once, so a batch of a thousand patches for one task is two moves.
 */
function stepsOf(records: readonly CustodyRecord[]): Move[][] {
  const moves = new Map<string, Move[]>();
  for (const record of records) {
    const type = PatchEventTypeSchema.safeParse(record.event_type);
    if (!type.success || record.kind !== "patch" || record.task_id === null) continue;
    // Said by someone, done by no engine of ours.
    if (record.meta.external === true) continue;
    const to = TASK_STATUS_OF_EVENT[type.data];
    const own = moves.get(record.task_id) ?? [];
    if (own.at(-1)?.to !== to) {
      const from = TaskStatusSchema.options.filter((status) => canMove(TASK_TRANSITIONS, status, to));
      own.push({ id: record.task_id, to, from, at: record.ts });
      moves.set(record.task_id, own);
    }
  }
  const steps: Move[][] = [];
  for (const own of moves.values()) for (const [index, move] of own.entries()) (steps[index] ??= []).push(move);
  return steps;
}
