import type { JsonObject } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { writeOperation } from "../logging/logOperation.ts";

interface Named {
  id: number;
  template?: string | null;
  worker?: string | null;
  repo?: string | null;
  order_id?: string | null;
}

const SAID = {
  filed: "was filed on GitHub",
  closed: "was closed: it has been silent",
  returned: "is back, and open again",
  claimed: "was claimed",
  renewed: "is claimed for longer",
  released: "was given back",
  expired: "was given back: its claim is over",
  ordered: "was made an order",
} as const;

/** A line of `operation_logs` about an issue: `ops.issue.<what>`. Never throws. */
export async function logIssue(
  ctx: ServiceContext,
  what: keyof typeof SAID,
  issue: Named,
  more: JsonObject = {},
): Promise<void> {
  const source = issue.worker ?? issue.repo ?? null;
  const [head = ""] = (issue.template ?? "").split("\n");
  const about = [source, head === "" ? null : head.slice(0, 200).toWellFormed()]
    .filter((part) => part !== null)
    .join(": ");
  await writeOperation(ctx, "ops", {
    operation: `ops.issue.${what}`,
    message: `issue ${issue.id} ${SAID[what]}${about === "" ? "" : `: ${about}`}`,
    outcome: what,
    ...(issue.order_id === undefined || issue.order_id === null ? {} : { orderId: issue.order_id }),
    meta: { issue: issue.id, ...more },
  });
}
