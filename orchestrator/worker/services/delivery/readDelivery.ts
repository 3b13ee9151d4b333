import { DeliveryLedger, type DeliverySummary } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { stubOf } from "../workspace/workspaceObject.ts";

const PAGE = 250;

export interface Delivery {
  summary: DeliverySummary;
  /** Where each chain stood when it was read. */
  custody: { workspace_id: string; head: { seq: number; hash: string } }[];
}

/**
 * What an order's events come to, read from the chains themselves and not from what was delivered of them. Each chain is
 * read up to where its head stood when reading began: what is appended meanwhile is the next report's.
 */
export async function readDelivery(
  ctx: ServiceContext,
  orderId: string,
  workspaceIds: readonly string[],
): Promise<Delivery> {
  const ledger = new DeliveryLedger();
  const custody: Delivery["custody"] = [];
  for (const workspaceId of workspaceIds) {
    const stub = stubOf(ctx.env, workspaceId);
    let page = await stub.eventsOfOrder(orderId, 0, PAGE);
    const { head } = page;
    if (page.records.length === 0) continue;
    custody.push({ workspace_id: workspaceId, head });
    for (;;) {
      for (const record of page.records) if (record.seq <= head.seq) ledger.add(record);
      const last = page.records.at(-1);
      if (!last || last.seq >= head.seq || page.records.length < PAGE) break;
      page = await stub.eventsOfOrder(orderId, last.seq, PAGE);
    }
  }
  return { summary: ledger.summary(), custody };
}
