import type { JsonObject } from "@shared/contracts";
import { sql } from "kysely";
import type { ServiceContext } from "../../context.ts";

export interface Operation {
  /** `area.what`. */
  operation: string;
  /** Names the occurrence: the same operation and key again is no second line. */
  key: string;
  level: "info" | "warn" | "error";
  message: string;
  orderId: string | null;
  taskId: string;
  durationMs: number | null;
  meta: JsonObject;
}

/**
 * Writes a line into `operation_logs`, once for each operation and key. A log that cannot be written holds up no work:
 * that is said in the Worker's own log.
 */
export async function logOperation(ctx: ServiceContext, line: Operation): Promise<void> {
  const { operation, key, level, message, orderId, taskId, durationMs, meta } = line;
  try {
    await sql`
      INSERT INTO operation_logs (source, operation, level, message, actor, request_id, order_id, task_id, duration_ms, meta, ts)
      SELECT 'ai-providers', ${operation}, ${level}, ${message.slice(0, 4000)}, ${ctx.actor.id}, ${key}, ${orderId},
        ${taskId}, ${durationMs}, ${JSON.stringify(meta)}, ${ctx.now().toISOString()}
      WHERE NOT EXISTS (
        SELECT 1 FROM operation_logs WHERE task_id = ${taskId} AND operation = ${operation} AND request_id = ${key}
      )`.execute(ctx.db.logs);
  } catch (error) {
    ctx.log.error("an operation could not be logged", { operation, key, error });
  }
}
