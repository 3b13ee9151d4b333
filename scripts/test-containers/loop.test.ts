import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { readDevVars } from "../devVars.ts";
import { migrateLocal } from "../migrations.ts";
import { ROOT } from "../repository.ts";
import type { Child } from "../start/children.ts";
import { freePort } from "../start/ports.ts";
import { startWorkers } from "../start/workers.ts";
import { containersOf, docker, type Inspected, tryDocker } from "./docker.ts";

/**
 * The orchestrator under `wrangler dev` with containers on, and everything in it real: Workers, Durable Objects, D1, the
 * image, the engine in it, its disk. One story, told in order; `CONTAINER_TRANSCRIPT=FILE` writes down what happened.
 */

const WORKSPACE = "container-story";
const FILE = "src/story.ts";
/** The image of the container that is killed, as it was just before. */
const DEAD = "dead-container-story:local";

const HeadSchema = z.object({ seq: z.number(), hash: z.string() });
const OutcomeSchema = z.looseObject({ status: z.string(), head: HeadSchema, treeHash: z.string().nullish() });
const AnswerSchema = z.looseObject({
  ok: z.boolean(),
  outcome: OutcomeSchema.nullish(),
  error: z.looseObject({ code: z.string() }).optional(),
});
type Answer = z.infer<typeof AnswerSchema>;

const transcript: string[] = [];
const say = (line: string): void => void transcript.push(line);

const token = (): string => readDevVars(path.join(ROOT, "orchestrator/.dev.vars")).BOOTSTRAP_TOKEN ?? "";
const children: Child[] = [];
let data: string;
let url: string;

beforeAll(async () => {
  data = mkdtempSync(path.join(tmpdir(), "containers-"));
  await migrateLocal(data);
  const started = performance.now();
  const port = await freePort(0);
  // Nothing listens there: what is answered is answered by a container.
  const vars = {
    ENGINE_URL: "http://127.0.0.1:1",
    INSTANCE: "containers",
    CONTAINER_SLEEP_AFTER: "15s",
    CONTAINER_HEARTBEAT_S: "5",
  };
  const spawned = async (child: Child): Promise<void> => void children.push(child);
  ({ url } = await startWorkers({ data, port, vars, spawned, containers: true }));
  say(`# wrangler dev -c orchestrator/wrangler.containers.jsonc …: ready after ${seconds(started)}`);
});

afterAll(async () => {
  for (const child of children) await child.end();
  for (const { id } of containersOf(WORKSPACE)) docker("rm", "--force", id);
  tryDocker("image", "rm", DEAD);
  rmSync(data, { recursive: true, force: true });
  const file = process.env.CONTAINER_TRANSCRIPT;
  if (file !== undefined && file !== "") writeFileSync(path.resolve(ROOT, file), `${transcript.join("\n")}\n`);
});

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(2)} s`;

async function api(method: string, route: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}${route}`, {
    method,
    headers: { authorization: `Bearer ${token()}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const append = (batchId: string, line: string): object => ({
  workspaceId: WORKSPACE,
  batchId,
  requester: "story",
  reason: "to tell it",
  patches: [{ op: "append", file: FILE, block: `${line}\n` }],
});

/** Sends a batch, and sends it again for as long as its outcome is in doubt: that is what a caller does with `pending`. */
async function apply(batch: object): Promise<Answer> {
  const started = performance.now();
  for (let sent = 1; ; sent += 1) {
    const { body } = await api("POST", "/api/patches/apply", batch);
    const answer = AnswerSchema.parse(body);
    const status = answer.outcome?.status ?? answer.error?.code ?? "refused";
    if ((status !== "pending" && answer.error?.code !== "ENGINE_UNAVAILABLE") || sent === 60) {
      const { batchId } = z.looseObject({ batchId: z.string() }).parse(batch);
      const head = answer.outcome?.head;
      say(`POST /api/patches/apply ${batchId}`);
      say(`  → ${status}, head ${head?.seq ?? "?"} ${short(head?.hash)}, tree ${short(answer.outcome?.treeHash)}`);
      say(`    (${seconds(started)}, sent ${sent} time${sent === 1 ? "" : "s"})`);
      return answer;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const short = (hash: string | null | undefined): string => (hash ? hash.slice(0, 12) : "?");

/** The one container of the workspace. */
function container(): Inspected {
  const [first, ...more] = containersOf(WORKSPACE);
  if (!first || more.length > 0) throw new Error(`${more.length + (first ? 1 : 0)} containers run, not one`);
  return first;
}

/** Where the workspace stands in a container. */
const rootIn = (id: string): string => docker("exec", id, "sh", "-c", "dirname /data/workspaces/*/.mission_control");

const inside = (...command: string[]): string => {
  const { id } = container();
  const said = docker("exec", "--workdir", rootIn(id), id, ...command);
  say(`docker exec ${short(id)} ${command.join(" ")}`);
  return said;
};

/** The engine's own log inside. */
const logInside = (): {
  seq: number;
  batchId: string;
  door: string;
  treeBefore: string;
  treeAfter: string;
  hash: string;
}[] => {
  const { id } = container();
  const said = docker("exec", "--workdir", rootIn(id), id, "patchctl", "log", "--json");
  const entry = z.looseObject({
    seq: z.number(),
    batchId: z.string(),
    door: z.string(),
    hash: z.string(),
    treeBefore: z.string(),
    treeAfter: z.string(),
  });
  return z.looseObject({ entries: z.array(entry) }).parse(JSON.parse(said)).entries;
};

/** A call to the engine host inside, as its orchestrator would make it, but without the orchestrator. */
function callInside(route: string, body: object): { status: number; answer: Answer } {
  const { id } = container();
  const program = `const [,route,body]=process.argv;
    // Docker hands an exec what it handed the start; the processes inside show it nowhere.
    const token=process.env.ENGINE_TOKEN;
    fetch("http://127.0.0.1:8080"+route,{method:"POST",body,headers:{authorization:"Bearer "+token,"content-type":"application/json"}})
      .then(async(answer)=>console.log(JSON.stringify({status:answer.status,answer:await answer.json()})))`;
  const said = docker("exec", id, "node", "-e", program, route, JSON.stringify(body));
  return z.object({ status: z.number(), answer: AnswerSchema }).parse(JSON.parse(said));
}

async function events(): Promise<Record<string, unknown>[]> {
  const { body } = await api("GET", `/api/patches/logs?workspaceId=${WORKSPACE}&limit=100`);
  return z.looseObject({ results: z.array(z.record(z.string(), z.unknown())) }).parse(body).results;
}

/** A minute is run once: each of these is one of its own, long past. */
let minute = Date.now() - 24 * 3_600_000;

/** How the minute's run finds the container's heartbeats; null: it has heard of none yet. */
async function beats(): Promise<{ status: string; recent: string; at: string | null; code: string | null } | null> {
  minute += 60_000;
  await fetch(`${url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent("* * * * *")}&time=${minute}`);
  const { status, body } = await api(
    "GET",
    `/api/health/workers/${encodeURIComponent(`container:${WORKSPACE}`)}/latest`,
  );
  if (status === 404) return null;
  const { worker } = z
    .looseObject({
      worker: z.looseObject({
        status: z.string(),
        recent: z.string(),
        heartbeat_at: z.string().nullable(),
        latest: z.looseObject({ code: z.string().nullable() }).nullable(),
      }),
    })
    .parse(body);
  return { status: worker.status, recent: worker.recent, at: worker.heartbeat_at, code: worker.latest?.code ?? null };
}

describe("a workspace in a container", () => {
  let first: Answer;
  let firstContainer: string;
  let beforeKill: { head: z.infer<typeof HeadSchema>; treeHash: string };

  test("is opened by starting one, and a batch through the Worker changes a file inside it", async () => {
    const started = performance.now();
    const source = { kind: "template", template: "agent-factory" };
    const opened = await api("POST", "/api/workspaces", { workspaceId: WORKSPACE, source });
    expect(opened.body).toEqual(expect.objectContaining({ ok: true }));
    say(`POST /api/workspaces ${WORKSPACE} → ${opened.status} (${seconds(started)}, a container started)`);

    first = await apply({
      ...append("first", "export const first = 1;"),
      patches: [{ op: "create-file", file: FILE, block: "export const first = 1;\n" }],
    });
    expect(first.outcome?.status).toBe("applied");
    firstContainer = container().id;
    const content = inside("cat", FILE);
    say(`  ${content}`);
    expect(content).toBe("export const first = 1;");
  });

  test("gives the container a token of its own, never the orchestrator's", () => {
    const engineToken = readDevVars(path.join(ROOT, "orchestrator/.dev.vars")).ENGINE_TOKEN ?? "";
    const { env } = container();
    expect(engineToken).not.toBe("");
    expect([...env.values()].join("\n")).not.toContain(engineToken);
    expect(env.get("ENGINE_TOKEN")).toMatch(/^[0-9a-f]{64}$/);
  });

  test("beats by the object that owns it: nothing inside holds a token for it", async () => {
    await expect.poll(beats, { timeout: 60_000, interval: 1_000 }).toMatchObject({ status: "up", code: null });
    const { env } = container();
    expect(env.has("ORCHESTRATOR_TOKEN")).toBe(false);
    say(`container:${WORKSPACE} beats: up`);
  });

  test("takes an agent's patchctl inside, and the orchestrator learns of it", async () => {
    inside(
      "patchctl",
      "append",
      "--file",
      FILE,
      "--block",
      "export const agents = 2;",
      "--batch-id",
      "agents",
      "--requester",
      "agent",
    );
    const second = await apply(append("second", "export const second = 3;"));
    expect(second.outcome?.status).toBe("applied");
    expect(inside("cat", FILE).split("\n")).toEqual([
      "export const first = 1;",
      "export const agents = 2;",
      "export const second = 3;",
    ]);
    await expect
      .poll(events, { timeout: 20_000 })
      .toEqual(expect.arrayContaining([expect.objectContaining({ event_type: "patch_applied", batch_id: "agents" })]));
    const log = logInside();
    expect(log.map(({ batchId, door }) => [batchId, door])).toEqual([
      ["first", "host"],
      ["agents", "patchctl"],
      ["second", "host"],
    ]);
    const last = log.at(-1)!;
    beforeKill = { head: { seq: last.seq, hash: last.hash }, treeHash: last.treeAfter };
    say(
      `  custody: first (host), agents (patchctl), second (host); head ${last.seq} ${short(last.hash)}, tree ${short(last.treeAfter)}`,
    );
  });

  test("is rebuilt from source and log when it was killed: the same tree, nothing lost, and it goes on", async () => {
    // As an image, to bring its disk back with later.
    docker("commit", firstContainer, DEAD);
    docker("kill", firstContainer);
    say(`docker kill ${short(firstContainer)}`);
    const third = await apply(append("third", "export const third = 4;"));
    expect(third.outcome?.status).toBe("applied");
    const { id } = container();
    expect(id).not.toBe(firstContainer);

    const log = logInside();
    expect(log.map(({ batchId }) => batchId)).toEqual(["first", "agents", "second", "third"]);
    const [, , second, last] = log;
    expect({ head: { seq: second!.seq, hash: second!.hash }, treeHash: second!.treeAfter }).toEqual(beforeKill);
    expect(last!.treeBefore).toBe(beforeKill.treeHash);
    expect(third.outcome?.treeHash).toBe(last!.treeAfter);
    say(
      `  a new container, ${short(id)}; tree before "third" ${short(last!.treeBefore)}: equal to that before the kill`,
    );
    const content = inside("cat", FILE);
    for (const line of content.split("\n")) say(`  ${line}`);
    expect(content.split("\n")).toHaveLength(4);
    const verified = inside("patchctl", "verify");
    say(`  ${verified}`);
    expect(JSON.parse(verified)).toEqual(expect.objectContaining({ ok: true }));
  });

  test("remembers an old batch: the same answer from the Worker, and from the engine that never ran it", async () => {
    const batch = {
      ...append("first", ""),
      patches: [{ op: "create-file", file: FILE, block: "export const first = 1;\n" }],
    };
    const again = await apply(batch);
    expect(again).toEqual(first);
    const { status, answer } = callInside(`/v1/workspaces/${WORKSPACE}/batches`, { batch, actor: null });
    expect([status, answer.ok, answer.outcome?.head]).toEqual([200, true, first.outcome?.head]);
    say(`  the engine inside, asked for "first" → ${status}, the outcome at head ${answer.outcome?.head.seq}`);
    expect(logInside()).toHaveLength(4);
  });

  test("refuses a call that was meant for the dead instance", () => {
    const late = append("late", "export const late = 5;");
    const { status, answer } = callInside(`/v1/workspaces/${WORKSPACE}/batches`, {
      batch: late,
      actor: null,
      expectedHead: beforeKill.head,
    });
    expect([status, answer.error?.code]).toEqual([409, "HEAD_MISMATCH"]);
    say(
      `late call with expectedHead ${beforeKill.head.seq} ${short(beforeKill.head.hash)} → ${status} ${answer.error?.code}`,
    );
    expect(inside("cat", FILE)).not.toContain("late");
  });

  test("takes no report from the dead instance when it comes back", async () => {
    const before = await events();
    // Its disk as it was at the kill, with an edit of its own on it, and a way to the orchestrator.
    const name = `dead-${WORKSPACE}`;
    const reporting = { ORCHESTRATOR_URL: url, ORCHESTRATOR_TOKEN: token(), VIBEHQ_WORKSPACE_ID: WORKSPACE };
    const env = Object.entries(reporting).flatMap(([variable, value]) => ["--env", `${variable}=${value}`]);
    docker("run", "--detach", "--name", name, "--network", "host", ...env, DEAD, "sleep", "300");
    try {
      const at = ["exec", "--workdir", rootIn(name), name];
      const edit = ["patchctl", "append", "--file", FILE, "--block", "export const ghost = 6;"];
      // Alone first: what it says on its way out must not race with the report that is looked at.
      docker(...at, "env", "ORCHESTRATOR_URL=", ...edit);
      const flushed = tryDocker(...at, "patchctl", "flush", "--json");
      say(`the dead instance's disk, started again: patchctl append; patchctl flush`);
      say(`  → ${flushed.stdout.trim() || flushed.stderr.trim()}`);
      expect(flushed.ok).toBe(false);
    } finally {
      docker("rm", "--force", name);
    }
    expect(await events()).toEqual(before);
    const { body } = await api("GET", `/api/patches/verify?workspaceId=${WORKSPACE}`);
    say(`GET /api/patches/verify → ${JSON.stringify(body)}`);
    expect(body).toEqual(expect.objectContaining({ ok: true }));
  });

  test("takes what patchctl did on its own into the record before an idle container sleeps", async () => {
    const asleep = container().id;
    inside("patchctl", "append", "--file", FILE, "--block", "export const last = 7;", "--batch-id", "unreported");
    await expect.poll(() => containersOf(WORKSPACE), { timeout: 100_000, interval: 1_000 }).toEqual([]);
    say(`idle for 15 s: ${short(asleep)} is gone`);
    // It ended on purpose: well beyond three beats later it is not missed.
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    const slept = await beats();
    expect(slept?.recent).not.toMatch(/F$/);
    say(`  asleep on purpose: no heartbeat is missed (${slept?.recent})`);
    await expect
      .poll(events, { timeout: 20_000 })
      .toEqual(expect.arrayContaining([expect.objectContaining({ batch_id: "unreported" })]));
    const started = performance.now();
    const { body } = await api("GET", `/api/workspaces/${WORKSPACE}/files/${FILE}`);
    expect(JSON.stringify(body)).toContain("export const last = 7;");
    say(`GET /api/workspaces/${WORKSPACE}/files/${FILE}: rebuilt in ${short(container().id)} (${seconds(started)})`);
    expect(logInside().at(-1)).toEqual(expect.objectContaining({ seq: 5, batchId: "unreported", door: "patchctl" }));
  });

  test("that is killed, and that nobody calls, is named as missed", async () => {
    const { id } = container();
    // One of this start: it slept before, on purpose, and is not expected until it has said that it is there.
    const since = new Date().toISOString();
    const hasBeaten = async (): Promise<boolean> => ((await beats())?.at ?? "") > since;
    await expect.poll(hasBeaten, { timeout: 60_000, interval: 1_000 }).toBe(true);
    docker("kill", id);
    say(`docker kill ${short(id)}`);
    await expect
      .poll(beats, { timeout: 90_000, interval: 1_000 })
      .toMatchObject({ status: "down", code: "HEARTBEAT_MISSED" });
    say("  nobody calls it: HEARTBEAT_MISSED, down after three of them");
  });
});
