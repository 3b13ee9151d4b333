import { workspaceIdOf } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { stubOf } from "../workspace/workspaceObject.ts";
import { workspacesOfOrderQuery } from "./deliveryOrders.ts";

/** Every workspace that may hold an order's events: `home`, where it works, and where events of it were seen. */
export async function workspacesOfOrder(ctx: ServiceContext, orderId: string, home: string | null): Promise<string[]> {
  const seen = await workspacesOfOrderQuery(ctx.db, orderId).execute();
  const workspaces = new Set(seen.map((row) => row.workspace_id));
  if (home !== null) workspaces.add(home);
  const own = workspaceIdOf({ orderId });
  if (workspaces.size === 0 && own !== null) {
    // Nothing of it has been delivered yet: it can only be where a patch that names the order goes.
    workspaces.add((await stubOf(ctx.env, own).alias()) ?? own);
  }
  return [...workspaces].toSorted((a, b) => (a < b ? -1 : Number(a > b)));
}
