import { createClient } from "@shared/client";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launch, signIn, visit } from "./browser.ts";
import { writeExecution, writeOutput } from "./executionRecords.ts";
import { placeOrder } from "./orders.ts";
import { PROVIDER_STATUSES } from "./providerFixture.ts";
import { DIFF } from "./runTexts.ts";
import { OpsStore } from "./store.ts";

const { url, token, data } = inject("stack");
const client = createClient({ url, token });
const store = new OpsStore(data);
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
  await placeOrder(client, "ORD-RUNS", "something that providers work on");
});
afterAll(async () => {
  store.close();
  await browser.close();
});

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index): [string, Record<string, unknown>] => [
    "terminal_output",
    { stream: "stdout", text: `line ${from + index}\n` },
  ]);
const terminal = (page: Page) => page.getByTestId("terminal");

test("a run's output is shown from its beginning and as it grows: nothing missing, nothing twice, until it ends", async () => {
  writeExecution(store, { id: "E-LIVE", provider: "codex", status: "running", task: "ORD-RUNS.1", ago: 1 });
  writeOutput(store, "E-LIVE", 1, lines(1, 1_300));
  const { page, context, faults } = await visit(browser, url);
  await signIn(page, token, "/executions/E-LIVE");
  await terminal(page).getByText("1,300 events").waitFor();
  await terminal(page).getByText("line 1300", { exact: true }).waitFor();
  expect(await terminal(page).getAttribute("data-state")).toBe("live");

  writeOutput(store, "E-LIVE", 1, lines(1_301, 1_340), 1_301);
  await terminal(page).getByText("1,340 events").waitFor();
  await terminal(page).getByText("line 1340", { exact: true }).waitFor();
  // The last lines on the screen follow one another.
  const shown = (await terminal(page).locator(".xterm-rows > div").allInnerTexts())
    .map((text) => /line (\d+)/.exec(text)?.[1])
    .filter((number) => number !== undefined)
    .map(Number);
  expect(shown.length).toBeGreaterThan(5);
  expect(shown).toEqual(Array.from({ length: shown.length }, (_, index) => 1_341 - shown.length + index));

  store.run("UPDATE ai_provider_attempts SET status = 'ended', class = 'applied' WHERE execution_id = ?", "E-LIVE");
  store.run(
    "UPDATE ai_provider_executions SET status = 'completed', class = 'applied' WHERE execution_id = ?",
    "E-LIVE",
  );
  await page.locator('[data-testid="terminal"][data-state="ended"]').waitFor();
  await terminal(page).getByText("1,340 events").waitFor();
  await page.getByText("Completed").first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("each attempt has its own output, which the address bar names", async () => {
  writeExecution(store, {
    id: "E-TRIES",
    provider: "claude",
    status: "completed",
    ended: "applied",
    task: "ORD-RUNS.2",
    attempts: [
      { provider: "codex", ended: "auth", message: "The key was refused." },
      { provider: "claude", ended: "applied" },
    ],
    more: { patch_data: DIFF },
  });
  writeOutput(store, "E-TRIES", 1, [["terminal_output", { stream: "stderr", text: "401 from the first\n" }]]);
  writeOutput(store, "E-TRIES", 2, [["terminal_output", { stream: "stdout", text: "done by the second\n" }]]);
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/executions/E-TRIES");
  await terminal(page).getByText("done by the second").waitFor();
  await page.getByText("fell back from codex").waitFor();
  await page.locator('[data-attempt="1"]').click();
  await terminal(page).getByText("401 from the first").waitFor();
  expect(await terminal(page).getByText("done by the second").count()).toBe(0);
  expect(new URL(page.url()).searchParams.get("attempt")).toBe("1");
  await page.reload();
  await terminal(page).getByText("401 from the first").waitFor();
  await page.getByRole("tab", { name: "Change" }).click();
  await page.getByTestId("diff").locator("table").nth(1).waitFor();
  await context.close();
});

test("what a run prints can ring, retitle, link and draw as it likes: the page stays as it is", async () => {
  writeExecution(store, {
    id: "E-HOSTILE",
    provider: "codex",
    status: "completed",
    ended: "empty-diff",
    task: "ORD-RUNS.3",
  });
  writeOutput(store, "E-HOSTILE", 1, [
    [
      "terminal_output",
      { stream: "stdout", text: "\u001B]0;owned\u0007\u001B]2;owned\u0007\u001B]52;c;b3duZWQ=\u0007\u001B[6n\u001B[c" },
    ],
    ["terminal_output", { stream: "stdout", text: "\u001B]8;;https://evil.example/\u0007press me\u001B]8;;\u0007\n" }],
    [
      "terminal_output",
      {
        stream: "stdout",
        text: "<img src=x onerror=\"document.title='owned'\">\u001B[?1049h\u001B[?1003h still here\n",
      },
    ],
    ["command_executing", { command: "echo \u001B]0;owned\u0007 <script>document.title='owned'</script>" }],
    ["conversation_response", { text: "<b onclick=alert(1)>said</b>" }],
  ]);
  const { page, context, faults } = await visit(browser, url);
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await signIn(page, token, "/executions/E-HOSTILE");
  await terminal(page).getByText("said").first().waitFor();
  await terminal(page).click({ position: { x: 40, y: 60 } });
  expect(await page.title()).toBe("Executions · VibeHQ");
  expect(context.pages()).toHaveLength(1);
  expect(await terminal(page).locator("img, script, b").count()).toBe(0);
  expect({ dialogs, faults }).toEqual({ dialogs: [], faults: [] });
  await context.close();
});

test("a list is narrowed by the address bar, and one is cancelled only after being asked once more", async () => {
  writeExecution(store, { id: "E-STOP", provider: "gemini", status: "queued", task: "ORD-RUNS.4" });
  writeExecution(store, { id: "E-OTHER", provider: "codex", status: "failed", ended: "quota", task: "ORD-RUNS.4" });
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/executions?order=ORD-RUNS&status=queued");
  await page.getByRole("link", { name: "E-STOP" }).waitFor();
  expect(await page.getByText("E-OTHER").count()).toBe(0);
  await page.getByRole("link", { name: "E-STOP" }).click();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  const asked = page.getByRole("alertdialog", { name: "Cancel this execution?" });
  await asked.getByRole("button", { name: "Let it run" }).click();
  const before = await client.ai.executions.get("E-STOP");
  expect(before.ok && before.execution.status).toBe("queued");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await asked.getByLabel("Reason, for the record").fill("asked for twice");
  await asked.getByRole("button", { name: "Cancel it" }).click();
  await page.getByText("Cancelled").first().waitFor();
  await expect
    .poll(async () => {
      const after = await client.ai.executions.get("E-STOP");
      return after.ok && after.execution.status;
    })
    .toBe("cancelled");
  await context.close();
});

test("a dead letter is shown whole, discarded after being asked once more, and redriven once", async () => {
  const letter = (id: string) =>
    store.insert("ai_dead_letters", {
      id,
      queue: "ai-provider-tasks",
      message: JSON.stringify({
        task_id: "ORD-RUNS.9",
        provider: "codex",
        factory: "agent-factory",
        execution_id: `${id}-run`,
      }),
      execution_id: `${id}-run`,
      attempts: 6,
      created_at: new Date().toISOString(),
    });
  letter("m-discard");
  letter("m-redrive");
  const { page, context } = await visit(browser, url);
  await signIn(page, token, "/dead-letters?letter=m-discard");
  const shown = (id: string) => page.locator(`[data-letter="${id}"]`);
  await shown("m-discard").getByText('"execution_id": "m-discard-run"').waitFor();
  await shown("m-discard").getByRole("button", { name: "Discard" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Keep it" }).click();
  await shown("m-discard").getByRole("button", { name: "Discard" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Discard it" }).click();
  await shown("m-discard").getByText("Discarded").waitFor();
  expect(await shown("m-discard").getByRole("button", { name: "Redrive" }).count()).toBe(0);

  await shown("m-redrive").getByRole("button").first().click();
  await shown("m-redrive").getByRole("button", { name: "Redrive" }).click();
  await shown("m-redrive").getByText("Redriven").first().waitFor();
  const again = await client.ai.deadLetters.redrive("m-redrive");
  expect(again.ok ? "ok" : again.error.code).toBe("CONFLICT");
  await context.close();
});

test("a question is answered from the page; who comes second is told who was first", async () => {
  const ask = async (question: string) => {
    const asked = await client.hil.ask({ orderId: "ORD-RUNS", question, options: ["this one", "that one"] });
    if (!asked.ok) throw new Error(asked.error.message);
    return asked.request.id;
  };
  const first = await ask("Which of the two, <b>please</b>?");
  const { page, context } = await visit(browser, url);
  await signIn(page, token, `/people?request=${first}`);
  await page.locator(`[data-request="${first}"]`).getByText("Which of the two, <b>please</b>?").waitFor();
  await page.getByLabel("Or in your own words").fill("both, one after the other");
  await page.getByRole("button", { name: "Answer", exact: true }).click();
  await page.locator(`[data-request="${first}"]`).getByText("Answered by").waitFor();
  const stored = await client.hil.get(first);
  expect(stored.ok && stored.request).toMatchObject({ status: "answered", answer: "both, one after the other" });

  const second = await ask("And now?");
  await page.goto(`/people?request=${second}`);
  const option = page.getByRole("button", { name: "that one" });
  await option.waitFor();
  // The page does not hear of it before the button is pressed.
  await page.route("**/api/hil/*", (route) => (route.request().method() === "GET" ? route.abort() : route.continue()));
  expect((await client.hil.answer(second, "this one")).ok).toBe(true);
  await option.click();
  await page.getByRole("alert").getByText("CONFLICT").waitFor();
  await page.unroute("**/api/hil/*");
  await page.locator(`[data-request="${second}"]`).getByText("this one").waitFor();
  await context.close();
});

test("a provider is switched off with all that was set of it kept, and its breaker says why it is open", async () => {
  const { page, context } = await visit(browser, url);
  await signIn(page, token);
  const sent: unknown[] = [];
  await page.route("**/api/ai/providers", (route) =>
    route.fulfill({ json: { ok: true, providers: PROVIDER_STATUSES } }),
  );
  await page.route("**/api/ai/providers/*/config", (route) => {
    sent.push(route.request().postDataJSON());
    return route.fulfill({ json: { ok: true, status: PROVIDER_STATUSES[1] } });
  });
  await page.goto("/providers");
  await page.locator('[data-provider="gemini"]').getByText("rate limited, tries again in").waitFor();
  await page.locator('[data-provider="ai-gateway"]').getByText("key refused, until the key changes").waitFor();
  await page.getByRole("button", { name: "Claude Code" }).click();
  await page.waitForURL("**/providers?provider=claude");
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByText("Claude Code is given nothing new").waitFor();
  expect(sent).toEqual([
    {
      enabled: false,
      default_model: "claude-sonnet-4-6",
      api_endpoint: null,
      rate_limits: { concurrency: 4, usdPerDay: 30 },
      cost_per_token: null,
    },
  ]);
  await context.close();
});
