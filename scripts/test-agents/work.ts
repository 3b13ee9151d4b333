import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttemptClass, Ok, ProviderName } from "@shared/contracts";
import type { Refusal } from "@shared/client";
import { expect } from "vitest";
import type { Stack } from "./stack.ts";
import { AFTER, type Tested } from "./tasks.ts";

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

/** Gives the task of that order to a provider, once it has a place free, and waits for the end of it. */
export async function execute(stack: Stack, name: string, provider: ProviderName): Promise<Detail> {
  const executionId = `E-${name}`;
  await until(async () => {
    const answered = await stack.client.ai.execute({ taskId: taskOf(name), executionId, provider, timeoutMs: 120_000 });
    // Tests that run beside each other fall back on each other's providers.
    if (!answered.ok && / places of .+ are taken$/.test(answered.error.message)) return null;
    return value(answered);
  });
  return ended(stack, executionId);
}

/** A file as it stands in the order's workspace. */
export async function fileOf(stack: Stack, name: string, file: string): Promise<string> {
  const { batches } = value(await stack.client.replay.batches(orderOf(name)));
  const seq = batches.at(-1)?.seq ?? 0;
  return value(await stack.client.replay.file(orderOf(name), seq, file)).file.content;
}

/** The events of an order's patches, as they came. */
export const eventsOf = async ({ client }: Stack, name: string) =>
  value(await client.patches.logs({ order_id: orderOf(name), order: "asc", limit: 100 })).results;

/** Insists that an execution's first provider ended so, and that the next one of its chain that was free did the task. */
export async function expectFallback(
  stack: Stack,
  detail: Detail,
  provider: Tested | "jules",
  classes: AttemptClass[],
): Promise<void> {
  const { attempt_list: attempts, decision, batch_id } = detail;
  const others = decision?.chain.slice(0, attempts.length - classes.length) ?? [];
  expect({
    by: decision?.by,
    chosen: decision?.provider,
    attempts: attempts.map((attempt) => [attempt.provider_name, attempt.class]),
  }).toEqual({
    by: "override",
    chosen: provider,
    attempts: [
      ...classes.map((attemptClass) => [provider, attemptClass]),
      ...others.slice(0, -1).map((other) => [other.provider, "unavailable"]),
      ...others.slice(-1).map((other) => [other.provider, "applied"]),
    ],
  });
  const last = attempts.at(-1);
  expect(last).toMatchObject({ class: "applied", status: "ended", batch_id });
  expect(detail).toMatchObject({ status: "completed", class: "applied", provider_name: last?.provider_name });
  const name = detail.execution_id.slice("E-".length);
  expect(await fileOf(stack, name, "src/a.ts")).toBe(`${AFTER}\n`);
  // One batch stands, and it is the last one's.
  const applied = (await eventsOf(stack, name)).filter(({ event_type }) => event_type === "patch_applied");
  expect(applied).toMatchObject([{ provider: last?.provider_name, batch_id }]);
}
