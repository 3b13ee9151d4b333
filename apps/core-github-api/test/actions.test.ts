import { BuildLogsSchema, RunLogsSchema } from "@shared/contracts";
import type { GithubCommand } from "@shared/testing/githubControl";
import { afterEach, expect, test, vi } from "vitest";
import { excerptsOf } from "../worker/excerpts.ts";
import { aProxy, problemOf, steer } from "./proxy.ts";

afterEach(() => vi.restoreAllMocks());

type Runs = Extract<GithubCommand, { action: "addRuns" }>["runs"];
const HOUR = 3_600_000;
const SHA = "a".repeat(40);
const START = Date.UTC(2026, 10, 20, 9);
const window = `from=${new Date(START - 24 * HOUR).toISOString()}&to=${new Date(START).toISOString()}`;
const log = (n: number) =>
  `2026-11-20T02:14:09.1182274Z ##[group]Run tsc\n2026-11-20T02:14:10.1182274Z src/a.ts(${n},2): error TS2304: Cannot find name 'Money'.\n2026-11-20T02:14:11.1182274Z ##[error]Process completed with exit code 2.\n`;

/** Reads a window to its end, as the orchestrator does. */
async function readAll({ call, at }: Awaited<ReturnType<typeof aProxy>>) {
  const pages = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await call(at(`/actions/runs/logs?${window}${next}`));
    if (answer.status !== 200) throw new Error(answer.text);
    const page = BuildLogsSchema.parse(answer.body);
    pages.push(page);
    cursor = page.cursor;
  } while (cursor !== null);
  return { pages, logs: pages.flatMap(({ logs }) => logs), skipped: pages.flatMap(({ skipped }) => skipped) };
}

test("3,000 runs of a day are read to the last, though GitHub lists 1,000 of a window, within its limits", async () => {
  const proxy = await aProxy();
  await steer({
    action: "addRuns",
    repository: proxy.repository,
    runs: Array.from({ length: 3_000 }, (_, n): Runs[number] => ({
      head_sha: SHA,
      conclusion: n % 15 === 0 ? "failure" : "success",
      // Most of them in one hour of the night.
      at: START - 2 * HOUR + Math.floor((n / 3_000) * HOUR) - (n % 7 === 0 ? 10 * HOUR : 0),
      logs: n % 15 === 0 ? { "0_build.txt": log(n), "build/1_tsc.txt": log(n) } : { "0_build.txt": "fine\n" },
    })),
  });
  const { logs, skipped } = await readAll(proxy);
  expect(skipped).toEqual([]);
  expect(new Set(logs.map(({ run_id }) => run_id)).size).toBe(200);
  // Twice where a run stands on the border of two parts, under the same id.
  expect(new Set(logs.map(({ run_id, id }) => `${run_id} ${id}`)).size).toBe(200);
  expect(logs[0]).toMatchObject({ level: "error", message: expect.stringContaining("error TS2304"), commit: SHA });
  const requests = (await proxy.seen()).filter(({ status }) => status !== 304);
  expect(requests.filter(({ status }) => (status ?? 0) >= 400)).toEqual([]);
  expect(requests.length).toBeLessThan(1_000);
});

test("a run that has not ended holds the window open; logs that are gone are said to be", async () => {
  const proxy = await aProxy();
  await steer({
    action: "addRuns",
    repository: proxy.repository,
    runs: [
      { head_sha: SHA, at: START - HOUR, status: "in_progress", logs: { "0_build.txt": log(1) } },
      { head_sha: SHA, at: START - 2 * HOUR, logs: null },
    ],
  });
  const first = await readAll(proxy);
  expect(first.logs).toEqual([]);
  expect(first.skipped).toHaveLength(1);
  expect(first.pages[0]?.open_since).toBe(new Date(START - HOUR).toISOString().replace(".000Z", "Z"));
  await steer({ action: "endRuns", repository: proxy.repository });
  await expect(readAll(proxy)).resolves.toMatchObject({ logs: [{ meta: { job: "build" } }] });
});

test("each attempt of a run has its own lines, by the door of the run and by that of the window under the same ids", async () => {
  const proxy = await aProxy();
  const { runs = [] } = await steer({
    action: "addRuns",
    repository: proxy.repository,
    runs: [{ head_sha: SHA, at: START - HOUR, logs: { "0_build.txt": log(1) } }],
  });
  const id = runs[0] ?? 0;
  const logsOf = async (attempt: number) =>
    RunLogsSchema.parse((await proxy.call(proxy.at(`/actions/runs/${id}/logs?attempt=${attempt}`))).body);
  const first = await readAll(proxy);
  expect((await logsOf(1)).logs).toEqual(first.logs);
  await steer({ action: "rerun", repository: proxy.repository, id, logs: { "0_build.txt": log(2) } });
  expect((await logsOf(1)).logs).toEqual(first.logs);
  const { logs: second, skipped } = await logsOf(2);
  expect(skipped).toEqual([]);
  expect(second).toMatchObject([
    { run_id: String(id), message: expect.stringContaining("a.ts(2,2)"), meta: { attempt: 2 } },
  ]);
  expect(second[0]?.id).not.toBe(first.logs[0]?.id);
  // A window that is read only now holds the newest attempt.
  expect((await readAll(proxy)).logs).toEqual(second);
  await steer({ action: "rerun", repository: proxy.repository, id, logs: null });
  await expect(logsOf(3)).resolves.toMatchObject({ logs: [], skipped: [{ run_id: String(id) }] });
  await steer({
    action: "rerun",
    repository: proxy.repository,
    id,
    conclusion: "success",
    logs: { "0_build.txt": log(4) },
  });
  await expect(logsOf(4)).resolves.toEqual({ logs: [], skipped: [] });
  await steer({ action: "rerun", repository: proxy.repository, id, status: "in_progress" });
  const codeOf = async (rest: string) => problemOf(await proxy.call(proxy.at(`/actions/runs/${rest}`))).code;
  expect(await codeOf(`${id}/logs?attempt=5`)).toBe("CONFLICT");
  expect(await codeOf(`${id}/logs?attempt=6`)).toBe("NOT_FOUND");
  for (const query of ["", "?attempt=0", "?attempt=x", "?attempt=1e1"]) {
    expect(await codeOf(`${id}/logs${query}`), query).toBe("VALIDATION_FAILED");
  }
});

test("a link whose minute is over is asked for anew, and the run is read", async () => {
  const proxy = await aProxy();
  await steer({
    action: "addRuns",
    repository: proxy.repository,
    runs: [{ head_sha: SHA, at: START - HOUR, logs: { "0_a.txt": log(1) } }],
  });
  await steer({
    action: "fault",
    path: "/__logs/",
    fault: { kind: "status", status: 403, text: "AuthenticationFailed" },
  });
  const { logs, skipped } = await readAll(proxy);
  expect(skipped).toEqual([]);
  expect(logs).toHaveLength(1);
  // Two links of one run.
  expect(await proxy.seen(`/repos/${proxy.repository}/actions/runs/`)).toMatchObject([
    { status: 302 },
    { status: 302 },
  ]);
});

test("a link that is over twice is a run skipped, a damaged archive too, and no credential goes to the link", async () => {
  const proxy = await aProxy();
  await steer({
    action: "addRuns",
    repository: proxy.repository,
    runs: [{ head_sha: SHA, at: START - HOUR, logs: { "0_a.txt": log(1) } }],
  });
  await steer({
    action: "fault",
    path: "/__logs/",
    times: 2,
    fault: { kind: "status", status: 403, text: "AuthenticationFailed" },
  });
  expect((await readAll(proxy)).skipped).toHaveLength(1);
  await steer({ action: "fault", path: "/__logs/", fault: { kind: "status", status: 500, text: "PK broken" } });
  const answer = await proxy.call(proxy.at(`/actions/runs/logs?${window}`));
  expect(problemOf(answer).code).toBe("UPSTREAM_UNAVAILABLE");
  expect((await proxy.seen("/__logs/")).map(({ token }) => token)).not.toContain(proxy.token);
  expect((await readAll(proxy)).logs).toHaveLength(1);
});

test("windows and cursors that are none are refused", async () => {
  const { call, at } = await aProxy();
  for (const query of [
    "window=25",
    "window=9d",
    `${window}&cursor=x`,
    `${window}&cursor=${encodeURIComponent("[0,1,1,0]")}`,
    "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
  ]) {
    expect(problemOf(await call(at(`/actions/runs/logs?${query}`))).code, query).toBe("VALIDATION_FAILED");
  }
});

test("an excerpt is a telling line with what belongs to it; an exit code counts where nothing else was said", () => {
  expect(excerptsOf(log(7)).map(({ message, line }) => [line, message])).toEqual([
    [2, "src/a.ts(7,2): error TS2304: Cannot find name 'Money'."],
  ]);
  expect(excerptsOf("##[error]Process completed with exit code 1.").map(({ message }) => message)).toEqual([
    "Process completed with exit code 1.",
  ]);
  expect(
    excerptsOf(
      "ok 1\nFAIL test/a.test.ts > adds\nAssertionError: expected 1 to be 2\n ❯ test/a.test.ts:3:1\n\nok 2\n",
    ).map(({ message }) => message),
  ).toEqual(["FAIL test/a.test.ts > adds\nAssertionError: expected 1 to be 2\n ❯ test/a.test.ts:3:1"]);
  expect(excerptsOf("##[warning]Node 16 is deprecated").map(({ level }) => level)).toEqual(["warn"]);
});
