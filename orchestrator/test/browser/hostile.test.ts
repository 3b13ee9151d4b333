import { createClient } from "@shared/client";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch, read, signIn, visit } from "./browser.ts";
import { createFile, placeOrder } from "./orders.ts";

const { url, token } = inject("stack");
const client = createClient({ url, token });
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Each would call `window.hit()` were it taken as anything but text. */
const CORPUS = [
  `<script>hit()</script>`,
  `<img src=x onerror=hit()>`,
  `"><svg onload=hit()>`,
  `<iframe srcdoc="<script>parent.hit()</script>"></iframe>`,
  `[link](javascript:hit())`,
  `![image](x" onerror="hit())`,
  `<a href="javascript:hit()">here</a>`,
  `</textarea><script>hit()</script>`,
  `{{constructor.constructor('hit()')()}}`,
  `\u202Ethgir-ot-tfel\u202C<b onmouseover=hit()>b</b>`,
  `<details open ontoggle=hit()>`,
  `| a | b |\n|---|---|\n| <img src=x onerror=hit()> | \`x\` |`,
  `<style>*{display:none}</style>`,
  `]]><script>hit()</script>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=hit()>`,
];
/** What a file name may hold of it: no slash and no line break. */
const fileName = (text: string, index: number): string =>
  `${index}-${text.replaceAll(/[/\\\n\r\t\u202A-\u202E]/g, "_").slice(0, 80)}.md`;

test("hostile titles, file names, requesters, reasons, diffs and reports are text on every page that shows them", async () => {
  const title = CORPUS.join(" ");
  await placeOrder(client, "ORD-HOSTILE", title.slice(0, 480), CORPUS.join("\n\n"));
  const files: string[] = [];
  for (const [index, text] of CORPUS.entries()) {
    const file = fileName(text, index);
    files.push(file);
    await createFile(client, {
      orderId: "ORD-HOSTILE",
      patchId: `hostile-${index}`,
      file,
      block: `${text}\n`,
      requester: text.replaceAll(/[\n\u202A-\u202E]/g, " ").slice(0, 100),
      reason: text,
    });
  }
  // One that is refused, so that an error's text holds it too.
  await client.patches.apply({
    orderId: "ORD-HOSTILE",
    requester: "browser-test",
    patches: [
      {
        op: "search-replace",
        id: "hostile-refused",
        file: files[1] ?? "",
        search: "<img src=y onerror=hit()>",
        replace: "x",
      },
    ],
  });

  const { page, context, faults } = await visit(browser, url);
  await context.addInitScript(() => {
    Object.assign(window, { hits: 0, hit: () => ((window as unknown as { hits: number }).hits += 1) });
  });
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  await signIn(page, token);
  const paths = [
    "/",
    "/live?order=ORD-HOSTILE",
    ...CORPUS.map((_, index) => `/live?order=ORD-HOSTILE&patch=hostile-${index}`),
    "/live?order=ORD-HOSTILE&patch=hostile-refused",
    `/live?q=${encodeURIComponent(CORPUS[1] ?? "")}`,
    "/orders",
    "/orders/ORD-HOSTILE",
    "/orders/ORD-HOSTILE?tab=files",
    `/orders/ORD-HOSTILE?tab=replay&file=${encodeURIComponent(files[1] ?? "")}`,
    "/analytics",
    "/settings",
    "/settings?tab=sessions",
  ];
  for (const path of paths) {
    await page.goto(path);
    await read(page);
  }
  for (const path of ["/orders/ORD-HOSTILE?tab=report", "/delivery?order=ORD-HOSTILE"]) {
    await page.goto(path);
    const write = page.getByRole("button", { name: "Write it now" });
    const report = page.getByTestId("report");
    await write.or(report).first().waitFor();
    if (await write.isVisible()) await write.click();
    await report.getByText("onerror=hit()").first().waitFor();
    await page.getByRole("radio", { name: "Markdown" }).click();
    // The source escapes what has a meaning in Markdown.
    await report
      .locator("pre", { hasText: /onerror/ })
      .first()
      .waitFor();
    expect(await report.locator("script, img, svg, iframe, style, a[href^='javascript']").count()).toBe(0);
  }
  expect(await page.evaluate(() => (window as unknown as { hits: number }).hits)).toBe(0);
  // The policy had nothing to refuse: nothing was taken as markup in the first place.
  expect(faults).toEqual([]);
  await context.close();
}, 240_000);

test("the policy lets no script of another's run, wherever it might come from", async () => {
  const response = await fetch(url);
  const policy = response.headers.get("content-security-policy") ?? "";
  const scripts = policy.split(";").find((part) => part.trim().startsWith("script-src")) ?? "";
  expect(scripts).toMatch(/'sha256-/);
  expect(scripts).not.toMatch(/unsafe-inline|unsafe-eval|https?:|\*|data:/);
  expect(policy).toMatch(/default-src 'none'/);
  expect(policy).toMatch(/frame-ancestors 'none'/);
  expect(policy).toMatch(/base-uri 'none'/);

  const { page, context } = await visit(browser, url);
  await signIn(page, token);
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    const image = document.createElement("div");
    image.innerHTML = "<img src=x onerror='window.ran = true'>";
    document.body.append(image);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return "ran" in window;
  });
  expect(ran).toBe(false);
  await context.close();
});
