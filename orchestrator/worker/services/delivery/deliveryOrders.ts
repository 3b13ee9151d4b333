import { sql } from "kysely";
import type { ServiceContext } from "../../context.ts";

/** Rows of patch_custody read at once. */
const SCAN = 50_000;

const NOTE = `
  INSERT INTO delivery_orders (order_id, workspace_id, seq) VALUES (?1, ?2, ?3)
  ON CONFLICT (order_id, workspace_id) DO UPDATE SET seq = max(seq, excluded.seq)`;

const READ_END = `
  SELECT c.custody_id AS start, (
    SELECT max(id) FROM (SELECT id FROM patch_custody WHERE id > c.custody_id ORDER BY id LIMIT ?1)
  ) AS "end" FROM delivery_cursor AS c`;

const TAKE_IN = `
  INSERT INTO delivery_orders (order_id, workspace_id, seq)
  SELECT order_id, workspace_id, max(seq) FROM patch_custody
  WHERE id > ?1 AND id <= ?2 AND order_id IS NOT NULL GROUP BY order_id, workspace_id
  ON CONFLICT (order_id, workspace_id) DO UPDATE SET seq = max(seq, excluded.seq)`;

const MOVE_CURSOR = "UPDATE delivery_cursor SET custody_id = max(custody_id, ?1)";

const COVER = `
  UPDATE delivery_orders SET reported_seq = max(reported_seq, ?3) WHERE order_id = ?1 AND workspace_id = ?2`;

const UNCOVER = "UPDATE delivery_orders SET reported_seq = 0 WHERE order_id = ?1";

/** Every statement here, for the test that reads their query plans. */
export const DELIVERY_ORDER_STATEMENTS = [NOTE, READ_END, TAKE_IN, COVER, UNCOVER] as const;

/** Notes that an order has an event in a workspace; one that is known already changes nothing. */
export async function noteEvent(
  database: D1Database,
  event: { orderId: string; workspaceId: string; seq: number },
): Promise<void> {
  await database.prepare(NOTE).bind(event.orderId, event.workspaceId, event.seq).run();
}

/**
 * Reads what was delivered to patch_custody since the last time, and notes which orders have events where. This does not
 * rely on messages: an order whose message was lost is found here.
 */
export async function takeInEvents(database: D1Database): Promise<void> {
  for (;;) {
    const range = await database.prepare(READ_END).bind(SCAN).first<{ start: number; end: number | null }>();
    if (!range || range.end === null) return;
    await database.batch([
      database.prepare(TAKE_IN).bind(range.start, range.end),
      database.prepare(MOVE_CURSOR).bind(range.end),
    ]);
  }
}

/** Says up to where an order's report covers its events. */
export const coverStatements = (
  database: D1Database,
  orderId: string,
  covered: readonly { workspaceId: string; seq: number }[],
): D1PreparedStatement[] =>
  covered.map(({ workspaceId, seq }) => database.prepare(COVER).bind(orderId, workspaceId, seq));

/** Says that an order's report has to be made again, though it covers its events: something else that it says has changed. */
export async function uncover(database: D1Database, orderId: string): Promise<void> {
  await database.prepare(UNCOVER).bind(orderId).run();
}

/** Orders with events that no report covers, after the one of this id; `workspaceId`: of one workspace alone. */
export function staleOrdersQuery(
  db: ServiceContext["db"],
  { after, workspaceId, limit }: { after: string; workspaceId: string | null; limit: number },
) {
  let query = db.ops
    .selectFrom("delivery_orders")
    .select("order_id")
    .distinct()
    .where(sql<boolean>`seq > reported_seq`)
    .where("order_id", ">", after);
  if (workspaceId !== null) query = query.where("workspace_id", "=", workspaceId);
  return query.orderBy("order_id").limit(limit);
}

export const workspacesOfOrderQuery = (db: ServiceContext["db"], orderId: string) =>
  db.ops.selectFrom("delivery_orders").selectAll().where("order_id", "=", orderId).orderBy("workspace_id");
