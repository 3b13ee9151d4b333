import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { makeRoot, open, read } from "./tempWorkspace.ts";

const CHILD = fileURLToPath(new URL("writingChild.ts", import.meta.url));
/** How long the processes edit; VIBEHQ_WRITERS_MS sets another time. What is expected does not depend on it. */
const TIME_MS = Number(process.env.VIBEHQ_WRITERS_MS ?? (process.env.CI ? 20_000 : 3_000));
const WRITERS = ["a", "b", "c", "d", "e", "f", "g", "h"];

function start(root: string, name: string) {
  const child = spawn(process.execPath, [CHILD, root, name], { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  const ready = once(child.stdout, "data");
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close").then(([code, signal]: unknown[]) => ({ code, signal, output }));
  return { child, ready, ended };
}

it("eight processes at once, and a ninth that is killed in the midst, lose no update and tear no file", async () => {
  const whole = "start\n".repeat(50);
  const root = makeRoot({ "shared.txt": "start\n", "whole.txt": whole, "other/twin.txt": whole });
  await (await open(root)).close();
  const writers = WRITERS.map((name) => start(root, name));
  const victim = start(root, "killed");
  await Promise.all([...writers, victim].map(({ ready }) => ready));
  for (const { child } of [...writers, victim]) child.stdin.write("go\n");
  const first = await Promise.race(writers.map(({ ended }) => ended.then(() => "ended")).concat(told(root)));
  expect(first).toBe("edited");
  victim.child.kill("SIGKILL");
  await sleep(TIME_MS);
  for (const { child } of writers) child.stdin.end();
  const ended = await Promise.all(writers.map((writer) => writer.ended));
  expect(ended.map(({ code }) => code)).toEqual(WRITERS.map(() => 0));
  expect(await victim.ended).toMatchObject({ signal: "SIGKILL" });

  const acknowledged = ended.flatMap(({ output }) => JSON.parse(output.replace("ready\n", "")) as string[]);
  const engine = await open(root);
  const logged = (await engine.entriesAfter(0)).map(({ batchId }) => batchId);
  const byVictim = logged.filter((batchId) => batchId.startsWith("killed-"));
  expect(byVictim.length).toBeGreaterThan(0);
  expect(logged.toSorted()).toEqual([...acknowledged, ...byVictim].toSorted());
  expect(await engine.verify()).toMatchObject({ ok: true });
  expect(read(root, "shared.txt")).toBe(["start", ...logged, ""].join("\n"));
  expect(read(root, "whole.txt")).toBe(`${logged.at(-1)}\n`.repeat(50));
  expect(read(root, "other/twin.txt")).toBe(read(root, "whole.txt"));
}, 120_000);

/** Settles when the one to be killed has applied something. */
async function told(root: string): Promise<string> {
  const engine = await open(root);
  for (;;) {
    const entries = await engine.entriesAfter(0);
    if (entries.some(({ batchId }) => batchId.startsWith("killed-"))) return "edited";
  }
}
