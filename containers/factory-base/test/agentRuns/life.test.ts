import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  cancelRun,
  eventsOf,
  eventsUntil,
  hostWithAgent,
  infoOf,
  leftOfRuns,
  postRun,
  processesWith,
  runToEnd,
  startRun,
  textOf,
  WORKSPACE,
} from "../support/agents.ts";
import { applyBatch, problemIn, startHost, workspaceOf, workspacePath } from "../support/host.ts";
import { temporaryDirectory } from "../support/tree.ts";

const unique = (): string => `8${Math.floor(Math.random() * 1e8)}.5`;
/** A point ends what a script says: an end that a form of the host's token could begin with is held back. */
const isRunning = (text: string) => (events: Parameters<typeof textOf>[0]) => textOf(events).includes(text);

describe("a run", () => {
  test("asked for twice, also at once, is one run and one process", async () => {
    const witness = join(await temporaryDirectory(), "started");
    const host = await hostWithAgent(`echo one >> ${witness}; wc -l < ${witness}; echo x >> src/a.ts`);
    const infos = await Promise.all([startRun(host), startRun(host), startRun(host)]);
    expect(new Set(infos.map(({ startedAt }) => startedAt)).size).toBe(1);
    const { result, events } = await runToEnd(host);
    expect(result.class).toBe("change");
    expect(textOf(events).trim()).toBe("1");
  });

  test("goes on when who asked for it has gone, and its events are told from any place on", async () => {
    const host = await hostWithAgent("echo first.; sleep 0.3; echo second; echo x >> src/a.ts");
    await startRun(host);
    await eventsUntil(host, isRunning("first."));
    const all = await eventsOf(host);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
    expect(all.filter(({ type }) => type === "state").map((event) => "state" in event && event.state)).toEqual([
      "preparing",
      "running",
      "collecting",
      "ended",
    ]);
    for (let after = 0; after <= all.length; after++)
      expect(await eventsOf(host, "run-1", after)).toEqual(all.slice(after));
    expect(await infoOf(host)).toMatchObject({ seq: all.length, result: { class: "change" } });
  });

  test("that is told to end has ended when the answer comes, and leaves nothing", async () => {
    const mark = unique();
    const host = await hostWithAgent(
      `echo x >> src/a.ts; echo ready.; trap '' TERM; while true; do sleep ${mark}; done`,
    );
    await startRun(host);
    await eventsUntil(host, isRunning("ready."));
    const ended = await cancelRun(host);
    expect(ended).toMatchObject({ state: "ended", result: { class: "cancelled", diff: null } });
    expect(await processesWith(mark)).toEqual([]);
    expect(await cancelRun(host)).toEqual(ended);
  });

  test("beyond as many as may go on at once is refused and can be asked for again", async () => {
    const host = await hostWithAgent("echo ready.; sleep 1000", { env: { AGENT_MAX_RUNS: "1" } });
    await startRun(host, { runId: "one" });
    expect(problemIn(await postRun(host, { runId: "two" }))).toMatchObject({ status: 429, code: "RATE_LIMITED" });
    await cancelRun(host, "one");
    await startRun(host, { runId: "two" });
    await cancelRun(host, "two");
  });

  test("of another head than the expected is refused, and of no workspace, and is not remembered", async () => {
    const host = await hostWithAgent("echo x >> src/a.ts");
    const { head } = await workspaceOf(host, WORKSPACE);
    await applyBatch(host, WORKSPACE, { patches: [{ op: "append", file: "src/a.ts", block: "// more" }] });
    expect(problemIn(await postRun(host, { expectedHead: head }))).toMatchObject({ code: "HEAD_MISMATCH" });
    expect(await leftOfRuns(host)).toEqual({});
    const unknown = await host.request("GET", workspacePath(WORKSPACE, "/agent-runs/run-1"));
    expect(problemIn(unknown)).toMatchObject({ status: 404, code: "RUN_NOT_FOUND" });
    const elsewhere = await host.request("POST", workspacePath("nowhere", "/agent-runs"), {
      runId: "r",
      provider: "cursor",
      prompt: "p",
      apiKey: "k",
    });
    expect(problemIn(elsewhere)).toMatchObject({ code: "WORKSPACE_NOT_FOUND" });
    expect((await runToEnd(host)).result.class).toBe("change");
  });

  test("is counted in the metrics by how it ended", async () => {
    const host = await hostWithAgent("true");
    await runToEnd(host);
    const { body } = await host.request("GET", "/metrics");
    expect(body).toContain('vibehq_agent_runs_total{provider="cursor",class="empty-diff"} 1');
    expect(body).toContain("vibehq_agent_runs_running 0");
  });

  test("with a prompt too long for an argument reads it from a file that is in no diff", async () => {
    const host = await hostWithAgent('echo "${@: -1}"; wc -c < .mission_control/prompt.md; echo x >> src/a.ts');
    const { result, events } = await runToEnd(host, { prompt: "p".repeat(150_000) });
    expect(textOf(events)).toMatch(/\.mission_control\/prompt\.md[^]*150000/);
    expect(result.files.map(({ path }) => path)).toEqual(["src/a.ts"]);
  });
});

describe("a host", () => {
  test("that is killed under a run tells it as lost when it is back, with no process and no worktree left", async () => {
    const dataDir = await temporaryDirectory();
    const mark = unique();
    const host = await hostWithAgent(`setsid sleep ${mark} & echo ready.; sleep ${mark}`, { dataDir });
    await startRun(host);
    const before = await eventsUntil(host, isRunning("ready."));
    await host.kill();
    expect((await processesWith(mark)).length).toBeGreaterThan(0);

    const again = await startHost({ dataDir });
    expect(await infoOf(again)).toMatchObject({ state: "ended", result: { class: "host-lost", diff: null } });
    expect(await processesWith(mark)).toEqual([]);
    const [key = ""] = await readdir(join(dataDir, "agent-runs"));
    for (const part of ["tree", "home", "git"]) expect(existsSync(join(dataDir, "agent-runs", key, part))).toBe(false);
    // Asked for again under its id, it is not run again.
    expect((await startRun(again)).result?.class).toBe("host-lost");
    const events = await eventsOf(again);
    expect(events.at(-1)).toMatchObject({ type: "state", state: "ended" });
    expect(events.length).toBeLessThanOrEqual(before.length + 1);
  });

  test("leaves another host's run of that workspace and id alone", async () => {
    const mark = unique();
    const script = `case "$*" in *forever*) echo ready.; sleep ${mark};; *) echo x >> src/a.ts;; esac`;
    const [one, other] = await Promise.all([hostWithAgent(script), hostWithAgent(script)]);
    await startRun(one, { runId: "same", prompt: "forever" });
    await eventsUntil(one, isRunning("ready."), "same");
    expect((await runToEnd(other, { runId: "same" })).info.result?.class).toBe("change");
    expect(await processesWith(mark)).not.toEqual([]);
    expect((await infoOf(one, "same")).state).toBe("running");
  });

  test("that stops ends its runs, and remembers all of them", async () => {
    const dataDir = await temporaryDirectory();
    const mark = unique();
    const host = await hostWithAgent(
      `echo x >> src/a.ts; [ "$3" = x ] || case "$*" in *forever*) echo ready.; sleep ${mark};; esac`,
      { dataDir },
    );
    const done = await runToEnd(host, { runId: "done" });
    await startRun(host, { runId: "going", prompt: "forever" });
    await eventsUntil(host, isRunning("ready."), "going");
    expect(await host.stop()).toMatchObject({ code: 0 });
    expect(await processesWith(mark)).toEqual([]);

    const again = await startHost({ dataDir });
    expect(await infoOf(again, "done")).toEqual(done.info);
    expect(await eventsOf(again, "done")).toEqual(done.events);
    expect((await infoOf(again, "going")).result?.class).toBe("host-lost");
  });
});
