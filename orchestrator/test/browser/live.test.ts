import { createClient } from "@shared/client";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { connected, launch, rowOf, signIn, visit } from "./browser.ts";
import { createFile, placeOrder } from "./orders.ts";

const { url, token } = inject("stack");
const client = createClient({ url, token });
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test("a batch is seen within a second of its answer, its diff opened, it is reverted, and the revert is seen", async () => {
  await placeOrder(client, "ORD-LIVE");
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-LIVE");
  await connected(page);

  const row = rowOf(page, "live-1");
  const seen = row.waitFor().then(() => performance.now());
  await createFile(client, {
    orderId: "ORD-LIVE",
    patchId: "live-1",
    file: "src/seen.ts",
    block: "export const seen = 1;\n",
  });
  const answered = performance.now();
  expect((await seen) - answered).toBeLessThan(1_000);

  await row.click();
  const diff = page.getByTestId("diff");
  await diff.getByText("export const seen = 1;").waitFor();
  await page.getByRole("radio", { name: "Split" }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("view")).toBe("split");

  await page.getByRole("button", { name: "Revert", exact: true }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByLabel("Reason, for the record").fill("seen enough");
  await dialog.getByRole("button", { name: "Revert patch" }).click();
  await page.locator('[data-patch="live-1"][data-status="patch_reverted"]').waitFor();
  await page.getByRole("region", { name: "Patch", exact: true }).getByText("Reverted").first().waitFor();
  const tree = await client.patches.get("live-1");
  expect(tree.ok && tree.events.at(-1)?.event_type).toBe("patch_reverted");

  // Read from the log, narrowed to who asked for it and not to who reverted it, it is reverted too.
  for (const who of ["requester", "factory"]) {
    await page.goto(`/live?order=ORD-LIVE&${who}=browser-test`);
    await page.locator('[data-patch="live-1"][data-status="patch_reverted"]').waitFor();
  }
  expect(faults).toEqual([]);
  await context.close();
});

test("history and stream are one list: what was there before and what comes after, each patch once", async () => {
  await placeOrder(client, "ORD-MERGE");
  const before = ["merge-1", "merge-2", "merge-3"];
  for (const patchId of before) await createFile(client, { orderId: "ORD-MERGE", patchId, file: `src/${patchId}.ts` });
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-MERGE");
  // Some while the page is still reading the log, some after.
  const after = ["merge-4", "merge-5", "merge-6"];
  for (const patchId of after) await createFile(client, { orderId: "ORD-MERGE", patchId, file: `src/${patchId}.ts` });
  for (const patchId of [...before, ...after])
    await page.locator(`[data-patch="${patchId}"][data-status="patch_applied"]`).waitFor();
  const shown = await page
    .locator("[data-patch]")
    .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-patch")));
  expect(shown).toEqual([...before, ...after].toReversed());
  expect(faults).toEqual([]);
  await context.close();
});

test("an order's timeline has what its factory told before the page was opened and what it tells now, each once", async () => {
  const orderId = "ORD-TOLD";
  await placeOrder(client, orderId);
  const fulfil = async (phase: string) => {
    const patches = [{ op: "create-file" as const, file: `src/${phase}.ts`, block: "export {};\n" }];
    const answer = await client.orders.fulfilPhase({ orderId, phase, patches });
    if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  };
  const told = async () => {
    const answer = await client.orders.phases(orderId, { limit: 500 });
    return answer.ok ? answer.phases.map(({ event_type }) => event_type) : [];
  };
  await fulfil("first");
  await expect.poll(told).toContain("phase_implemented");
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, `/orders/${orderId}`);
  await connected(page);
  await page.locator('[data-phase="phase_implemented"]', { hasText: "first" }).waitFor();
  await fulfil("second");
  await page.locator('[data-phase="phase_implemented"]', { hasText: "second" }).waitFor();
  const shown = () =>
    page.locator("[data-phase]").evaluateAll((lines) => lines.map((line) => line.getAttribute("data-phase")));
  await expect.poll(async () => ({ shown: await shown() })).toEqual({ shown: await told() });
  expect(new Set(await told()).size).toBeLessThan((await told()).length);
  expect(faults).toEqual([]);
  await context.close();
});

test("the live rate is drawn, follows its room, and says of the second that is pointed at how many events it had", async () => {
  await placeOrder(client, "ORD-RATE");
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/live");
  await connected(page);
  const canvas = page.getByTestId("rate").locator("canvas");
  await canvas.waitFor();
  await createFile(client, { orderId: "ORD-RATE", patchId: "rate-1", file: "src/rate.ts" });
  await rowOf(page, "rate-1").waitFor();
  /** Pixels that are not empty. */
  const drawn = () =>
    canvas.evaluate((element: HTMLCanvasElement) => {
      const { data } = element.getContext("2d")!.getImageData(0, 0, element.width, element.height);
      return data.filter((value, index) => index % 4 === 3 && value > 0).length;
    });
  await expect.poll(drawn).toBeGreaterThan(0);
  const wide = (await canvas.boundingBox())?.width;
  await page.setViewportSize({ width: 1000, height: 800 });
  await expect.poll(async () => (await canvas.boundingBox())?.width).toBeLessThan(wide ?? 0);
  await page.getByTestId("rate").locator(".u-over").hover();
  await expect.poll(() => page.getByTestId("rate").textContent()).toMatch(/^\d+ events?$/);
  expect(faults).toEqual([]);
  await context.close();
});

test("what the list is narrowed to and what is open stand in the address: a reload shows the same", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/live");
  await page.getByRole("button", { name: "Failed", exact: true }).click();
  await expect.poll(() => new URL(page.url()).searchParams.get("status")).toBe("patch_failed");
  await page.locator('[data-patch="ORD-SAMPLE.stale"]').click();
  await page.getByText("AMBIGUOUS_LOCATION").first().waitFor();
  const shown = () =>
    page.locator("[data-patch]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-status")));
  expect(new Set(await shown())).toEqual(new Set(["patch_failed"]));
  const address = page.url();
  await page.reload();
  await page.locator('[data-patch="ORD-SAMPLE.stale"][aria-current="true"]').waitFor();
  expect(page.url()).toBe(address);
  expect(new Set(await shown())).toEqual(new Set(["patch_failed"]));
  await context.close();
});

test("a paused list holds still, says how many came, and shows them when it goes on", async () => {
  await placeOrder(client, "ORD-PAUSE");
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-PAUSE");
  await connected(page);
  await createFile(client, { orderId: "ORD-PAUSE", patchId: "pause-1", file: "src/a.ts" });
  await rowOf(page, "pause-1").waitFor();
  await page.keyboard.press("p");
  await createFile(client, { orderId: "ORD-PAUSE", patchId: "pause-2", file: "src/b.ts" });
  const pill = page.getByRole("button", { name: "1 new, paused" });
  await pill.waitFor();
  expect(await rowOf(page, "pause-2").count()).toBe(0);
  await pill.click();
  await rowOf(page, "pause-2").waitFor();
  await context.close();
});

test("what is typed into the search stays there and is found, while the cursor moves and events keep coming", async () => {
  await placeOrder(client, "ORD-TYPE");
  for (const patchId of ["type-1", "type-2"])
    await createFile(client, { orderId: "ORD-TYPE", patchId, file: `src/${patchId}.ts` });
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/live?order=ORD-TYPE");
  await connected(page);
  await rowOf(page, "type-1").waitFor();

  // Two keys before the next frame is drawn: the cursor's line must not take the focus back.
  const focused = await page.evaluate(async () => {
    for (const key of ["j", "/"])
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return document.activeElement?.getAttribute("aria-label");
  });
  expect(focused).toBe("Search the stream");

  // Something happens more often than the typing settles.
  const typed = new AbortController();
  const events = (async () => {
    for (let index = 0; !typed.signal.aborted && index < 60; index++)
      await createFile(client, { orderId: "ORD-TYPE", patchId: `type-busy-${index}`, file: `src/busy${index}.ts` });
  })();
  await page.keyboard.type("type-1", { delay: 120 });
  await expect.poll(() => new URL(page.url()).searchParams.get("q"), { timeout: 5_000 }).toBe("type-1");
  typed.abort();
  await events;
  expect(await page.getByRole("searchbox", { name: "Search the stream" }).inputValue()).toBe("type-1");
  expect(faults).toEqual([]);
  await context.close();
});
