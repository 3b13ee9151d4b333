import { openEngine } from "../../index.ts";

/**
 * Edits until its standard input ends, and prints the batches that were applied. Each adds a line to a shared file,
 * replaces the whole of a second one and makes the two agree in a third, so that a torn state would show.
 */
const [root = "", name = ""] = process.argv.slice(2);
const opened = await openEngine({ root, workspaceId: "test" });
if (!opened.ok) throw new Error(opened.error.message);
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
const applied: string[] = [];
for (let at = 0; !process.stdin.readableEnded || applied.length === 0; at++) {
  const batchId = `${name}-${at}`;
  const whole = Array.from({ length: 50 }, () => `${batchId}\n`).join("");
  const patches = [
    { op: "append", file: "shared.txt", block: batchId },
    { op: "replace-block", file: "whole.txt", start: 1, end: 50, block: whole },
    { op: "replace-block", file: "other/twin.txt", start: 1, end: 50, block: whole },
  ];
  const answer = await opened.engine.apply({ batch: { batchId, patches }, door: "patchctl" });
  if (answer.error) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  applied.push(batchId);
}
await opened.engine.close();
process.stdout.write(JSON.stringify(applied));
process.stdin.destroy();
