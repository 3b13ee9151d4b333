import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { type HubStack, record, startHub, TOKEN } from "../test/system/hubStack.ts";

/**
 * `pnpm bench:hub`: what fanning a message out costs the runtime, beside partyserver's own `broadcast` of the same bytes
 * in the same run. Prints the table of docs/benchmarks.md.
 */

const CLIENTS = 200;
const MESSAGES = 400;
const BATCH = 20;
const ROUNDS = 9;
const REACH = 1.25;
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
/** A clock tick of Linux's CPU accounting. */
const TICK_MS = 10;
/** As @shared/client confirms. */
const ACK_EVERY = 256;

/** The runtime that holds the rooms: the one child, however far down, that has a hub's database open. */
function runtimeOf(): string {
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && holdsRooms(name));
  const [pid] = found;
  if (found.length !== 1 || pid === undefined) throw new Error(`${found.length} runtimes hold rooms; expected one`);
  return pid;
}

function holdsRooms(pid: string): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("workerd") &&
      readdirSync(`/proc/${pid}/fd`).some((fd) => /EventHub.*\.sqlite$/.test(linkOf(pid, fd))) &&
      isOurs(pid)
    );
  } catch {
    // It ended while it was looked at.
    return false;
  }
}

function linkOf(pid: string, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    // It was closed while it was looked at.
    return "";
  }
}

function isOurs(pid: string): boolean {
  for (let at = pid; at !== "0" && at !== ""; at = statOf(at)[1] ?? "") if (at === String(process.pid)) return true;
  return false;
}

/** The fields of /proc/PID/stat after the name, which may hold anything: state, parent, … */
const statOf = (pid: string): string[] =>
  readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");

/** User and system time so far, in milliseconds. */
const cpuOf = (pid: string): number => (Number(statOf(pid)[11]) + Number(statOf(pid)[12])) * TICK_MS;

let moved = Promise.withResolvers<void>();
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await moved.promise;
}

interface Watcher {
  socket: WebSocket;
  received: number;
  /** The last offset; gaps are offsets that did not follow the one before. */
  last: number;
  gaps: number;
}

const OFFSET = /^\{"type":"[a-z_]+","offset":(\d+)/;

async function watch(address: URL, confirms: boolean): Promise<Watcher> {
  const opened = Promise.withResolvers<void>();
  // A bare room selects no subprotocol, which a client that offered some takes for a refusal.
  const socket = new WebSocket(address, address.pathname === "/ws" ? ["vibehq", `bearer.${TOKEN}`] : []);
  const watcher: Watcher = { socket, received: 0, last: -1, gaps: 0 };
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("error", () => opened.reject(new Error(`no socket at ${address.pathname}`)));
  socket.addEventListener("message", ({ data }) => {
    const offset = OFFSET.exec(String(data))?.[1];
    if (offset === undefined) return;
    watcher.received += 1;
    if (watcher.last >= 0 && Number(offset) !== watcher.last + 1) watcher.gaps += 1;
    watcher.last = Number(offset);
    if (confirms && watcher.received % ACK_EVERY === 0) socket.send(`{"type":"ack","offset":${offset}}`);
    if (watcher.received % BATCH !== 0) return;
    moved.resolve();
    moved = Promise.withResolvers<void>();
  });
  await opened.promise;
  return watcher;
}

interface Contender {
  name: string;
  watchers: Watcher[];
  /** Hands the messages from `from` on to the room. */
  send(from: number): Promise<unknown>;
  sent: number;
  /** CPU of the runtime for each delivered message, in microseconds, round by round. */
  rounds: number[];
}

async function contender(hub: HubStack, name: string, at: string, confirms: boolean, send: Contender["send"]) {
  const address = new URL(at, hub.url.replace(/^http/, "ws"));
  const watchers = await Promise.all(Array.from({ length: CLIENTS }, () => watch(address, confirms)));
  return { name, watchers, send, sent: 0, rounds: [] } satisfies Contender;
}

async function round(one: Contender, pid: string): Promise<void> {
  const before = cpuOf(pid);
  const end = one.sent + MESSAGES;
  while (one.sent < end) {
    await one.send(one.sent + 1);
    one.sent += BATCH;
    await until(() => one.watchers.every(({ received }) => received >= one.sent));
  }
  one.rounds.push(((cpuOf(pid) - before) * 1000) / (MESSAGES * CLIENTS));
}

const medianOf = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const batchFrom = (from: number) => Array.from({ length: BATCH }, (_, n) => record(from + n));

async function main(): Promise<void> {
  // The runtime looks nothing up outside.
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  const hub = await startHub();
  try {
    const into = (room: string) => async (from: number) => {
      const response = await hub.call(`/test/deliver?room=${room}`, batchFrom(from));
      await response.arrayBuffer();
    };
    const contenders = [
      await contender(hub, "partyserver's broadcast", "/test/bare?room=bare", false, async (from) => {
        // The hub's own frames, ready-made: nothing is left to do but to send them.
        const frames = batchFrom(from).map((payload, n) =>
          JSON.stringify({ type: payload.event_type, offset: from + n, payload }),
        );
        await (await hub.call("/test/say?room=bare", frames)).arrayBuffer();
      }),
      await contender(hub, "hub", "/ws?room=project:plain", false, into("project:plain")),
      await contender(hub, "hub, clients confirm", "/ws?room=project:acks&acks=1", true, into("project:acks")),
    ];
    const pid = runtimeOf();
    for (const one of contenders) await round(one, pid);
    for (const one of contenders) one.rounds.length = 0;
    // In turn, so that what else the machine does falls on all of them alike.
    for (let n = 0; n < ROUNDS; n += 1) for (const one of contenders) await round(one, pid);

    const [bare, ...hubs] = contenders.map(({ name, rounds, watchers }) => ({
      name,
      cost: medianOf(rounds),
      gaps: watchers.reduce((sum, { gaps }) => sum + gaps, 0),
    }));
    if (bare === undefined) return;
    const [cpu] = cpus();
    say(
      `Latest run: ${cpus().length} × ${cpu?.model ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, node ${process.version}, load average ${loadavg()[0]?.toFixed(1)}; ${CLIENTS} clients, ${ROUNDS} rounds of ${MESSAGES} messages.\n`,
    );
    say("| what | ours (µs CPU a delivered message, median) | against | baseline | ratio | reach | gaps | |");
    say("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (const { name, cost, gaps } of hubs) {
      const ratio = cost / bare.cost;
      const verdict = ratio <= REACH && gaps === 0 ? "reached" : "missed";
      say(
        `| ${name} | ${cost.toFixed(2)} | ${bare.name} | ${bare.cost.toFixed(2)} | ${ratio.toFixed(2)}× | ≤ ${REACH}× | ${gaps} | ${verdict} |`,
      );
    }
    for (const { watchers } of contenders) for (const { socket } of watchers) socket.close();
  } finally {
    await hub.stop();
  }
}

await main();
process.exit(0);
