import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { connected, launch, signIn, visit } from "../test/browser/browser.ts";
import { startStack } from "../test/browser/stack.ts";
import { measureBundle } from "./bundle.ts";
import { startFeed } from "./feed.ts";

/**
 * `pnpm bench:ui [--seconds 60] [--rate 1000]`: Mission Control's Live page under a stream of events, beside the same
 * page at rest: its longest task, the tasks over 100 ms, frames, memory; and what the page weighs. Exit code 1 where a
 * promise does not hold: no task over 100 ms after load, at most 250 kB of script before the first page.
 */
const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, rate: { type: "string", default: "1000" } },
});
const MILLISECONDS = Number(values.seconds) * 1_000;
const RATE = Number(values.rate);
const REST_MS = 10_000;
const MAX_TASK_MS = 100;
const MAX_INITIAL_BYTES = 250_000;

interface Measured {
  longest: number;
  over: number;
  long: number;
  frames: number;
  milliseconds: number;
  heap: number;
}

/** Watches the page's main thread until `done`. Tasks under 50 ms are not reported by browsers. */
async function measure(page: Page, done: () => Promise<unknown>): Promise<Measured> {
  await page.evaluate(() => {
    const state = { tasks: [] as number[], frames: 0, started: performance.now(), on: true };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) state.tasks.push(entry.duration);
    }).observe({ type: "longtask" });
    const frame = (): void => {
      state.frames += 1;
      if (state.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    Object.assign(globalThis, { measured: state });
  });
  await done();
  return page.evaluate((limit) => {
    const { measured } = globalThis as unknown as {
      measured: { tasks: number[]; frames: number; started: number; on: boolean };
    };
    measured.on = false;
    const { memory } = performance as unknown as { memory?: { usedJSHeapSize: number } };
    return {
      longest: Math.max(0, ...measured.tasks),
      over: measured.tasks.filter((task) => task > limit).length,
      long: measured.tasks.length,
      frames: measured.frames,
      milliseconds: performance.now() - measured.started,
      heap: memory?.usedJSHeapSize ?? 0,
    };
  }, MAX_TASK_MS);
}

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`;
const row = (name: string, m: Measured): string =>
  `| ${name} | ${m.longest === 0 ? "< 50" : m.longest.toFixed(0)} | ${m.over} | ${m.long} | ${((m.frames / m.milliseconds) * 1_000).toFixed(0)} | ${(m.heap / 1_048_576).toFixed(0)} |`;

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
  console.log("| Live page | longest task, ms | tasks over 100 ms | over 50 ms | frames a second | heap, MB |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  console.log(row("at rest", rest));
  console.log(row(`${RATE} events a second`, loaded));
  failed ||= loaded.over > 0;
} finally {
  await browser.close();
  await feed.close();
  await stack.remove();
}
process.exitCode = failed ? 1 : 0;
