import { createClient } from "@shared/client";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch, signIn, visit } from "./browser.ts";
import { createFile, placeOrder } from "./orders.ts";

const { url, token } = inject("stack");
const client = createClient({ url, token });
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
  await placeOrder(client, "ORD-PROOF", "something to prove");
  for (const name of ["one", "two", "three"]) {
    await createFile(client, {
      orderId: "ORD-PROOF",
      patchId: `proof-${name}`,
      file: `src/${name}.ts`,
      block: `export const ${name} = "${name}";\n`,
    });
  }
});
afterAll(() => browser.close());

async function openReport(page: Page): Promise<void> {
  await signIn(page, token, "/delivery?order=ORD-PROOF");
  const write = page.getByRole("button", { name: "Write it now" });
  const report = page.getByTestId("report");
  await write.or(report).first().waitFor();
  if (await write.isVisible()) await write.click();
  await report.waitFor();
}

test("the chain is recomputed in the browser, and the report holds", async () => {
  const { page, context, faults } = await visit(browser, url);
  await openReport(page);
  await page.getByRole("button", { name: "Verify" }).click();
  await page.locator('[data-verdict="holds"]').waitFor();
  await page.getByText(/links recomputed in this browser/).waitFor();
  expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
  await context.close();
});

test("one event tampered with in the export is found, and named", async () => {
  const { page, context } = await visit(browser, url);
  await openReport(page);
  await page.route("**/api/patches/custody*", async (route) => {
    const response = await route.fetch();
    const lines = (await response.text()).split("\n");
    const at = lines.findIndex((line) => line.includes("patch_applied"));
    expect(at).toBeGreaterThan(0);
    lines[at] = (lines[at] ?? "").replace('"lines_added":1', '"lines_added":9');
    await route.fulfill({ response, body: lines.join("\n") });
  });
  await page.getByRole("button", { name: "Verify" }).click();
  const verdict = page.locator('[data-verdict="broken"]');
  await verdict.waitFor();
  expect(await verdict.textContent()).toMatch(/First broken link: \d+ of order:ORD-PROOF/);
  await context.close();
});

test("the report is copied as the Markdown it is", async () => {
  const { page, context } = await visit(browser, url);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await openReport(page);
  await page
    .getByRole("button", { name: "Copy as Markdown" })
    .or(page.getByRole("button", { name: "Copy Markdown" }))
    .click();
  await page.getByRole("button", { name: "Copied" }).first().waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain("ORD-PROOF");
  expect(copied).toMatch(/^#/);
  await context.close();
});

test("replay shows the tree after each batch and any file of it, each held against its hash", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/orders/ORD-PROOF?tab=replay");
  await page.getByText("Batch 3 of 3").waitFor();
  await page.getByText("Matches the recorded tree hash").waitFor();
  const files = page.getByRole("list", { name: "Files of the tree" });
  await files.getByText("src/three.ts").click();
  await page.getByText('export const three = "three";').waitFor();
  await page.getByText("1 lines, as hashed in the tree").waitFor();

  await page.getByRole("slider").focus();
  await page.keyboard.press("ArrowLeft");
  await page.getByText("Batch 2 of 3").waitFor();
  await page.getByText("This file was not there then").waitFor();
  await expect.poll(() => files.getByText("src/three.ts").count()).toBe(0);
  await files.getByText("src/two.ts").waitFor();
  await page.getByText("Matches the recorded tree hash").waitFor();
  await context.close();
});
