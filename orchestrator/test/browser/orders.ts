import type { Client } from "@shared/client";
import type { ApplyResult } from "@shared/contracts";

/** An order with a workspace of its own, made of the agent template. */
export async function placeOrder(client: Client, id: string, title = `Order ${id}`, description = ""): Promise<void> {
  const answer = await client.orders.create({
    id,
    title,
    description,
    factory: "agent-factory",
    source: { kind: "template", template: "agent-factory" },
  });
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
}

/** A patch that makes a file, applied. */
export async function createFile(
  client: Client,
  {
    orderId,
    patchId,
    file,
    block = `export const name = "${patchId}";\n`,
    requester = "browser-test",
    reason = "",
  }: { orderId: string; patchId: string; file: string; block?: string; requester?: string; reason?: string },
): Promise<Extract<ApplyResult, { ok: true }>> {
  const answer = await client.patches.apply({
    orderId,
    batchId: `batch-${patchId}`,
    requester,
    reason,
    check: "none",
    patches: [{ op: "create-file", id: patchId, file, block }],
  });
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer;
}
