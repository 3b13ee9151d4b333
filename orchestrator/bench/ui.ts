import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { connected, launch, signIn, visit } from "../test/browser/browser.ts";
import { startStack } from "../test/browser/stack.ts";
import { measureBundle } from "./bundle.ts";
import { startFeed } from "./feed.ts";
import { type Task, traceTasks } from "./tasks.ts";

/**
 * `pnpm bench:ui [--seconds 60] [--rate 1000]`: Mission Control's Live page under a stream of events, beside the same
 * page at rest: its longest task, the tasks over 100 ms, frames, memory; and what the page weighs. Exit code 1 where a
 * promise does not hold: no task over 100 ms after load, at most 250 kB of script before the first page. A task is judged
 * by the processor time it took, as other work on the machine lengthens its time by the clock, which is shown beside it.
 */
const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, rate: { type: "string", default: "1000" } },
});
const MILLISECONDS = Number(values.seconds) * 1_000;
const RATE = Number(values.rate);
const REST_MS = 10_000;
const MAX_TASK_MS = 100;
const MAX_INITIAL_BYTES = 250_000;

declare global {
  /** What a page under measurement keeps. */
  var measured: { frames: number; started: number; on: boolean };
  interface Performance {
    /** Chromium's own. */
    memory?: { usedJSHeapSize: number };
  }
}

interface Measured {
  tasks: readonly Task[];
  frames: number;
  milliseconds: number;
  /** Bytes. */
  heap: number;
}

/** Watches the page's main thread while `work` is done. */
async function measure(page: Page, work: () => Promise<unknown>): Promise<Measured> {
  await page.evaluate(() => {
    const state = { frames: 0, started: performance.now(), on: true };
    const frame = (): void => {
      state.frames += 1;
      if (state.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    Object.assign(globalThis, { measured: state });
  });
  const tasks = await traceTasks(browser, page, work);
  const counted = await page.evaluate(() => {
    const { measured } = globalThis;
    measured.on = false;
    const { memory } = performance;
    return {
      frames: measured.frames,
      milliseconds: performance.now() - measured.started,
      heap: memory?.usedJSHeapSize ?? 0,
    };
  });
  return { tasks, ...counted };
}

const longest = (tasks: readonly Task[], time: keyof Task): number =>
  tasks.reduce((most, task) => Math.max(most, task[time]), 0);
const over = (tasks: readonly Task[], time: keyof Task): number =>
  tasks.filter((task) => task[time] > MAX_TASK_MS).length;

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`;
function row(name: string, { tasks, frames, milliseconds, heap }: Measured): string {
  const busy = tasks.reduce((sum, { cpu }) => sum + cpu, 0) / milliseconds;
  const cells = [
    name,
    longest(tasks, "cpu").toFixed(1),
    over(tasks, "cpu"),
    longest(tasks, "wall").toFixed(0),
    over(tasks, "wall"),
    `${(busy * 100).toFixed(0)} %`,
    ((frames / milliseconds) * 1_000).toFixed(0),
    (heap / 1_048_576).toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

// Starting builds the page anew where its sources have changed.
const stack = await startStack();
const bundle = measureBundle();
console.log(
  `Script before the first page: ${kilobytes(bundle.initial)} of gzip (at most ${kilobytes(MAX_INITIAL_BYTES)}).`,
);
console.log(
  `Loaded when wanted: ${bundle.parts.map(({ name, bytes }) => `${name} ${kilobytes(bytes)}`).join(", ")}.\n`,
);

const feed = await startFeed(stack.url);
const browser = await launch();
let failed = bundle.initial > MAX_INITIAL_BYTES;
try {
  const { page } = await visit(browser, feed.url, { theme: "dark" });
  await signIn(page, stack.token, "/live");
  await connected(page);
  await page.locator("[data-patch]").first().waitFor();
  await page.waitForTimeout(3_000);

  const rest = await measure(page, () => page.waitForTimeout(REST_MS));
  let sent = 0;
  const loaded = await measure(page, async () => {
    sent = await feed.run(RATE, MILLISECONDS);
  });
  await page.getByText(`${sent.toLocaleString("en")} events since you came`).waitFor({ timeout: 10_000 });

  console.log(
    `Live, ${sent.toLocaleString("en")} events at ${RATE} a second; all of them were taken in. ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}.\n`,
  );
  console.log(
    "| Live page | longest task, ms of processor | over 100 ms | longest task, ms of clock | over 100 ms | main thread busy | frames a second | heap, MB |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
  console.log(row("at rest", rest));
  console.log(row(`${RATE} events a second`, loaded));
  failed ||= over(loaded.tasks, "cpu") > 0;
} finally {
  await browser.close();
  await feed.close();
  await stack.remove();
}
process.exitCode = failed ? 1 : 0;
