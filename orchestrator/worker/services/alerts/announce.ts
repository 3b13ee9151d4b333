import type { Alert } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { messageIdOf } from "./alertRow.ts";

/**
 * Has the hub store and send an alert to the room `all`. The hub knows a message by its id, so that once more does no harm.
 * Never throws: what fails stays to be announced. False where it did.
 */
export async function announce(ctx: ServiceContext, { alert, mark }: { alert: Alert; mark: string }): Promise<boolean> {
  try {
    await ctx.env.EVENT_HUB.getByName("all").announce({ id: messageIdOf(alert), alert });
    await ctx.env.DB_OPS.prepare("UPDATE alerts SET announced_at = ?3 WHERE id = ?1 AND told_by = ?2")
      .bind(alert.id, mark, ctx.now().toISOString())
      .run();
    return true;
  } catch (error) {
    ctx.log.warn("an alert is not announced yet", { alertId: alert.id, error });
    return false;
  }
}
