import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { PatchEventSchema } from "@shared/contracts";
import { WebSocketServer } from "ws";
import { pauseAfter } from "../../cli/persistently.ts";
import { makeRoot, read } from "../engine/tempWorkspace.ts";

const PATCHCTL = fileURLToPath(new URL("../../cli/patchctl.cjs", import.meta.url));

function patchctl(root: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<{ exit: number; stdout: string; stderr: string }>((resolve) => {
    const options = { cwd: root, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } };
    const child = execFile(process.execPath, [PATCHCTL, ...args], options, (_error, stdout, stderr) =>
      resolve({ exit: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

function workspace(): string {
  const root = makeRoot({ "a.txt": "one\n" });
  mkdirSync(join(root, ".git"));
  return root;
}

const append = (id: string) => ["append", "--file", "a.txt", "--block", id, "--id", id];

/** What arrives, and a promise for the moment when `enough` has. */
function inbox<T>() {
  const items: T[] = [];
  const waiting = new Set<() => void>();
  return {
    items,
    add(item: T) {
      items.push(item);
      for (const look of waiting) look();
    },
    until: (enough: (items: T[]) => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!enough(items)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** An orchestrator that answers with these statuses in turn, then with 200. */
async function orchestrator(...statuses: number[]) {
  const requests = inbox<{ status: number; seqs: number[] }>();
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const status = statuses.shift() ?? 200;
      const { entries } = JSON.parse(body) as { entries: { seq: number }[] };
      response.writeHead(status).end("{}", () => requests.add({ status, seqs: entries.map(({ seq }) => seq) }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { requests, env: { ORCHESTRATOR_URL: `http://127.0.0.1:${port}`, ORCHESTRATOR_TOKEN: "t" } };
}

interface Message {
  type: string;
  payload: unknown;
}

/** A factory's socket; the first `broken` connections end as they begin. */
async function factory({ broken = 0, port = 0 } = {}) {
  const messages = inbox<Message>();
  const server = new WebSocketServer({ host: "127.0.0.1", port });
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    if (connections <= broken) {
      socket.terminate();
      return;
    }
    socket.on("message", (data: Buffer) => messages.add(JSON.parse(data.toString("utf8")) as Message));
  });
  await once(server, "listening");
  onTestFinished(() => server.close());
  const address = server.address() as AddressInfo;
  return {
    messages,
    env: { FACTORY_WS_URL: `ws://127.0.0.1:${address.port}` },
    connections: () => connections,
    port: address.port,
    close,
  };
}

const told = (messages: readonly Message[]) =>
  messages.map(({ type, payload }) => {
    const event = PatchEventSchema.parse(payload);
    expect(event.event_type).toBe(type);
    return `${event.log?.seq} ${type} ${event.patch_id}`;
  });

describe("the orchestrator", () => {
  it("is told behind an edit's back until it takes it, each entry once and in order", async () => {
    const root = workspace();
    const { env, requests } = await orchestrator(503, 429, 500);
    expect((await patchctl(root, append("p1"), env)).exit).toBe(0);
    expect((await patchctl(root, append("p2"), env)).exit).toBe(0);
    expect((await patchctl(root, append("p3"), env)).exit).toBe(0);
    await requests.until((all) => all.some(({ status, seqs }) => status === 200 && seqs.includes(3)));
    const taken = requests.items.filter(({ status }) => status === 200).flatMap(({ seqs }) => seqs);
    expect(taken).toEqual([1, 2, 3]);
    // What is left to tell is told by the cursor, not by who asks.
    const { stdout } = await patchctl(root, ["flush"], env);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, reported: 0, cursor: 3 });
  }, 30_000);

  it("is not asked again in the background for what it refuses, and is told it later", async () => {
    const root = workspace();
    const { env, requests } = await orchestrator(401);
    await patchctl(root, append("p1"));
    expect((await patchctl(root, ["flush", "--background"], env)).exit).toBe(0);
    expect(requests.items).toEqual([{ status: 401, seqs: [1] }]);
    expect((await patchctl(root, ["flush"], env)).exit).toBe(0);
    expect(requests.items[1]).toEqual({ status: 200, seqs: [1] });
  });

  it("is told by one reporter at a time, which leaves nothing behind", async () => {
    const root = workspace();
    const { env, requests } = await orchestrator();
    for (const id of ["p1", "p2", "p3"]) await patchctl(root, append(id));
    const reporters = Array.from({ length: 5 }, () => patchctl(root, ["flush", "--background"], env));
    expect((await Promise.all(reporters)).map(({ exit }) => exit)).toEqual([0, 0, 0, 0, 0]);
    expect(requests.items.flatMap(({ seqs }) => seqs)).toEqual([1, 2, 3]);
  }, 20_000);
});

describe("a factory's socket", () => {
  it("is told each event once and in order, as type and payload", async () => {
    const root = workspace();
    const { env, messages } = await factory();
    await patchctl(root, append("p1"));
    await patchctl(root, append("p2"));
    await patchctl(root, ["revert", "p2"]);
    expect(await patchctl(root, ["flush"], env)).toMatchObject({ exit: 0, stderr: "" });
    await patchctl(root, append("p3"));
    await patchctl(root, ["flush"], env);
    await patchctl(root, ["flush"], env);
    expect(told(messages.items)).toEqual([
      "1 patch_applied p1",
      "2 patch_applied p2",
      "3 patch_reverted p2",
      "4 patch_applied p3",
    ]);
  }, 30_000);

  it("is told behind an edit's back, again where the connection broke, and never out of order", async () => {
    const root = workspace();
    const { env, messages, connections } = await factory({ broken: 2 });
    for (const id of ["p1", "p2", "p3"]) expect((await patchctl(root, append(id), env)).exit).toBe(0);
    await messages.until((all) => all.length >= 3);
    expect(told(messages.items)).toEqual(["1 patch_applied p1", "2 patch_applied p2", "3 patch_applied p3"]);
    expect(connections()).toBeGreaterThan(2);
  }, 30_000);

  it("keeps neither an edit nor a report waiting when it is not there, and is told later what it missed", async () => {
    const root = workspace();
    const gone = await factory();
    await gone.close();
    const { env, requests } = await orchestrator();
    await patchctl(root, append("p1"));
    const flushed = await patchctl(root, ["flush"], { ...env, ...gone.env });
    expect(flushed.exit).toBe(0);
    expect(flushed.stderr).toContain("the factory's socket cannot be reached");
    expect(requests.items).toEqual([{ status: 200, seqs: [1] }]);
    expect((await patchctl(root, ["flush"], gone.env)).exit).toBe(5);
    const { env: back, messages } = await factory({ port: gone.port });
    await patchctl(root, ["flush"], back);
    expect(told(messages.items)).toEqual(["1 patch_applied p1"]);
    expect(read(root, ".mission_control/notify.cursor")).toBe("1\n");
  }, 20_000);

  it("is no reason to try again where its address is none", async () => {
    const root = workspace();
    await patchctl(root, append("p1"));
    const env = { FACTORY_WS_URL: "not an address" };
    expect((await patchctl(root, ["flush", "--background"], env)).exit).toBe(0);
    expect(existsSync(join(root, ".mission_control/notify.cursor"))).toBe(false);
  });
});

describe("the pause after failures", () => {
  it("doubles up to a minute, and chance takes at most half of it", () => {
    const longest = [1, 2, 3, 4, 8, 30].map((failures) => pauseAfter(failures, 1));
    expect(longest).toEqual([500, 1000, 2000, 4000, 60_000, 60_000]);
    expect([1, 2, 30].map((failures) => pauseAfter(failures, 0))).toEqual([250, 500, 30_000]);
  });
});
