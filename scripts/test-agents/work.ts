import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ok, ProviderName } from "@shared/contracts";
import type { Refusal } from "@shared/client";
import type { Stack } from "./stack.ts";

export type Detail = Awaited<ReturnType<typeof detailOf>>;

/** What every workspace begins as. Its own check passes whatever an agent makes of it, as long as it is still there. */
const FILES = {
  "src/a.ts": "export const one = 1;\n",
  "src/b.ts": "export const two = 2;\n",
  ".mission_control/policy.json": JSON.stringify({ check: ["grep", "-q", "export", "src/a.ts"] }),
};
const POLL_MS = 150;

/** An answer that is none of a refusal. */
export function value<T extends object>(answered: Ok<T> | Refusal): Ok<T> {
  if (!answered.ok) throw new Error(`${answered.error.code}: ${answered.error.message}`);
  return answered;
}

export const taskOf = (name: string): string => `T-${name}`;
export const orderOf = (name: string): string => `ORD-${name}`;

/** An order with one task, which may change `src/a.ts` alone, and a workspace of its own. */
export async function placeOrder(stack: Stack, name: string, projectId: string | null = null): Promise<void> {
  const source = path.join(stack.sources, name);
  for (const [file, content] of Object.entries(FILES)) {
    mkdirSync(path.dirname(path.join(source, file)), { recursive: true });
    writeFileSync(path.join(source, file), content);
  }
  value(
    await stack.client.orders.create({
      id: orderOf(name),
      title: `Make one eleven (${name})`,
      factory: "agent-factory",
      projectId,
      source: { kind: "path", path: source },
      tasks: [{ id: taskOf(name), title: "Change the constant", type: "fix", allowed: [{ files: "src/a.ts" }] }],
    }),
  );
}

export async function detailOf({ client }: Stack, executionId: string) {
  return value(await client.ai.executions.get(executionId)).execution;
}

/** Asks until it is so. Bounded by the test's own time. */
export async function until<T>(ask: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    await sleep(POLL_MS);
  }
}

/** The execution once it has ended. */
export const ended = (stack: Stack, executionId: string): Promise<Detail> =>
  until(async () => {
    const detail = await detailOf(stack, executionId);
    return detail.finished_at === null ? null : detail;
  });

/** Waits until a provider's breaker lets work through. */
export const available = ({ client }: Stack, provider: ProviderName): Promise<true> =>
  until(async () => (value(await client.ai.providers.get(provider)).status.available ? true : null));

/** Gives the task of that order to a provider, and waits for the end of it. */
export async function execute(stack: Stack, name: string, provider: ProviderName): Promise<Detail> {
  const { execution } = value(
    await stack.client.ai.execute({ taskId: taskOf(name), executionId: `E-${name}`, provider, timeoutMs: 120_000 }),
  );
  return ended(stack, execution.execution_id);
}

/** A file as it stands in the order's workspace. */
export async function fileOf(stack: Stack, name: string, file: string): Promise<string> {
  const { batches } = value(await stack.client.replay.batches(orderOf(name)));
  const seq = batches.at(-1)?.seq ?? 0;
  return value(await stack.client.replay.file(orderOf(name), seq, file)).file.content;
}
