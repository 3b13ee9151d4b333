import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { KEYS, type Stack } from "./stack.ts";
import { PROVIDERS } from "./tasks.ts";
import { detailOf, value } from "./work.ts";

/**
 * What would give a key away: it, its encodings, and either half of it, for a value that a page of a database cuts in
 * two.
 */
const traces = Object.values(KEYS).flatMap(({ binding, value }) => {
  const half = Math.floor(value.length / 2);
  const bytes = Buffer.from(value);
  const forms = [value.slice(0, half), value.slice(half), bytes.toString("base64").slice(0, -4), bytes.toString("hex")];
  return forms.map((form) => ({ binding, form }));
});

/** The bindings whose keys stand in these bytes. */
export const keysIn = (bytes: string): string[] => [
  ...new Set(traces.filter(({ form }) => bytes.includes(form)).map(({ binding }) => binding)),
];

/** Every file below a directory in which a key stands, and how many files there are. Read as bytes, whatever they are. */
export function filesWithKeys(directory: string): { files: string[]; found: string[] } {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const found = files.flatMap((file) =>
    keysIn(readFileSync(file, "latin1")).map((binding) => `${binding} in ${path.relative(directory, file)}`),
  );
  return { files: files.map((file) => path.relative(directory, file)), found };
}

/** Reads what the API tells of every execution, and of all that stands around them. */
export async function askEverything(stack: Stack): Promise<void> {
  const { client, url, token } = stack;
  const listed = value(await client.ai.executions.list({ limit: 100 })).executions;
  const executions = await Promise.all(listed.map(({ execution_id }) => detailOf(stack, execution_id)));
  expect(executions.length).toBeGreaterThanOrEqual(4 * PROVIDERS.length);
  for (const { execution_id, task_uuid, order_id, attempt_list } of executions) {
    for (const { attempt } of attempt_list) await client.ai.executions.output(execution_id, { attempt, limit: 500 });
    await client.ai.explain(task_uuid);
    await client.patches.logs({ order_id: order_id ?? "", limit: 100 });
    await client.replay.batches(order_id ?? "");
  }
  for (const path of [
    "/api/ai/providers",
    "/api/ai/dead-letters",
    "/api/hil",
    "/api/orders",
    "/api/tasks",
    "/api/delivery/reports",
    "/api/patches/stats",
    "/api/patches/trends",
    "/api/health",
  ]) {
    const response = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` } });
    expect({ path, keys: keysIn(await response.text()) }).toEqual({ path, keys: [] });
  }
}
