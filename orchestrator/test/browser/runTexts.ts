/** What a run was told, what it printed and what it changed. */

export const DIFF = `diff --git a/src/queue/retry.ts b/src/queue/retry.ts
index 1f0c1d2..9b3f0aa 100644
--- a/src/queue/retry.ts
+++ b/src/queue/retry.ts
@@ -12,11 +12,16 @@ export interface RetryPolicy {
   maxAttempts: number;
 }
 
-/** Waits longer each time. */
-export function delayOf(attempt: number): number {
-  return 1_000 * 2 ** attempt;
+/** Waits longer each time, up to a bound, and never in step with others that failed at the same moment. */
+export function delayOf(attempt: number, random: () => number): number {
+  const ceiling = Math.min(MAX_DELAY_MS, BASE_MS * 2 ** attempt);
+  return Math.round(ceiling / 2 + random() * (ceiling / 2));
 }
 
+const BASE_MS = 1_000;
+const MAX_DELAY_MS = 60_000;
+
 export async function withRetries<T>(work: () => Promise<T>, policy: RetryPolicy): Promise<T> {
-  for (let attempt = 0; ; attempt += 1) {
+  for (let attempt = 0; attempt < policy.maxAttempts; attempt += 1) {
diff --git a/test/retry.test.ts b/test/retry.test.ts
new file mode 100644
index 0000000..4be11a0
--- /dev/null
+++ b/test/retry.test.ts
@@ -0,0 +1,7 @@
+import { expect, test } from "vitest";
+import { delayOf } from "../src/queue/retry.ts";
+
+test("a delay is never over the bound", () => {
+  for (let attempt = 0; attempt < 64; attempt += 1) expect(delayOf(attempt, () => 1)).toBeLessThanOrEqual(60_000);
+});
+
`;

export const PROMPT = `You work on task ORD-QUEUE.2, of type fix, of the order "Retries that do not stampede".

Make \`delayOf\` in src/queue/retry.ts bounded and random, and cover it with a test. Change nothing outside src/queue and
test. The workspace's engine is offered to you as the MCP server "patchctl": edits made through it are checked as you make
them.`;

/** An event of a run: its type, and what else it holds. */
export type Line = [type: string, body: Record<string, unknown>];
const out = (text: string): Line => ["terminal_output", { stream: "stdout", text }];

export const RUN: readonly Line[] = [
  ["state", { state: "preparing" }],
  ["state", { state: "running" }],
  ["conversation_response", { text: "I will look at the retry policy and its callers first." }],
  ["command_executing", { command: "rg -n delayOf src test" }],
  out(
    "src/queue/retry.ts:16:export function delayOf(attempt: number): number {\nsrc/queue/worker.ts:88:    await sleep(delayOf(attempt));\n",
  ),
  ["command_executed", { command: "rg -n delayOf src test", exitCode: 0 }],
  ["command_executing", { command: "sed -n 1,40p src/queue/retry.ts" }],
  out(
    "\u001B[2m   12\u001B[0m export interface RetryPolicy {\n\u001B[2m   13\u001B[0m   maxAttempts: number;\n\u001B[2m   14\u001B[0m }\n",
  ),
  ["command_executed", { command: "sed -n 1,40p src/queue/retry.ts", exitCode: 0 }],
  [
    "conversation_response",
    { text: "The delay has no bound and no jitter. I will add both, and a test that holds the bound." },
  ],
  ["command_executing", { command: "patchctl apply --task-id ORD-QUEUE.2 -" }],
  out('{"ok":true,"status":"applied","patches":2}\n'),
  ["command_executed", { command: "patchctl apply --task-id ORD-QUEUE.2 -", exitCode: 0 }],
  ["command_executing", { command: "pnpm vitest run test/retry.test.ts" }],
  out(
    "\n \u001B[1;30;46m RUN \u001B[0m v5.1.1\n\n \u001B[32m✓\u001B[0m test/retry.test.ts (1 test) 4ms\n\n \u001B[2mTest Files\u001B[0m  \u001B[1;32m1 passed\u001B[0m (1)\n",
  ),
  ["command_executed", { command: "pnpm vitest run test/retry.test.ts", exitCode: 0 }],
  ["command_executing", { command: "pnpm tsc --noEmit" }],
  out("\u001B[31msrc/queue/worker.ts(88,17): error TS2554: Expected 2 arguments, but got 1.\u001B[0m\n"),
  ["command_execution_failed", { command: "pnpm tsc --noEmit", exitCode: 2 }],
];
