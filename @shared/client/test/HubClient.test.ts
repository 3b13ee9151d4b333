import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HubClient, type HubClientOptions } from "../index.ts";

/** A socket that does what the test says; what it was sent is kept. */
class ScriptedSocket extends EventTarget {
  static made: ScriptedSocket[] = [];
  static onMade: (socket: ScriptedSocket) => void = () => undefined;
  binaryType = "blob";
  readyState = 0;
  readonly sent: string[] = [];
  readonly at = Date.now();
  readonly address: URL;
  readonly protocols: string[];

  constructor(address: string, protocols: string[]) {
    super();
    this.address = new URL(address);
    this.protocols = protocols;
    ScriptedSocket.made.push(this);
    setTimeout(() => ScriptedSocket.onMade(this), 0);
  }
  open(connected: object = {}): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
    this.say({ type: "connected", room: "all", epoch: "e1", offset: 0, recovered: true, ts: "now", ...connected });
  }
  say(frame: object | string): void {
    const data = typeof frame === "string" ? frame : JSON.stringify(frame);
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(code = 1000): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason: "" }));
  }
}

const message = (offset: number, more: object = {}) => ({
  type: "patch_applied",
  offset,
  payload: {
    v: 1,
    workspace_id: "default",
    seq: offset,
    prev_hash: "0".repeat(64),
    kind: "patch",
    event_type: "patch_applied",
    ts: "2026-01-01T00:00:00.000Z",
    actor: "token:agent",
    batch_id: "b-1",
    order_id: null,
    project_id: null,
    patch_id: `p-${offset}`,
    file: "a.ts",
    op: "append",
    task_id: null,
    ts_check_ok: null,
    diff_path: null,
    log: null,
    meta: {},
    hash: "0".repeat(64),
  },
  ...more,
});

function watch(more: Partial<HubClientOptions> = {}) {
  const seen: number[] = [];
  const resets: number[] = [];
  const errors: string[] = [];
  const client = new HubClient({
    url: "https://vibehq.test",
    token: "t",
    WebSocket: ScriptedSocket,
    onMessage: ({ offset }) => void seen.push(offset),
    onReset: ({ offset }) => void resets.push(offset),
    onError: ({ message: said }) => void errors.push(said),
    ...more,
  });
  return { client, seen, resets, errors };
}
const last = (): ScriptedSocket => ScriptedSocket.made.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  ScriptedSocket.made = [];
  ScriptedSocket.onMade = (socket) => socket.open();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("after a loss", () => {
  test("pauses grow to 30 s, and where in them it comes back is random", async () => {
    ScriptedSocket.onMade = (socket) => socket.close(1006);
    const times = async (random: number) => {
      vi.spyOn(Math, "random").mockReturnValue(random);
      ScriptedSocket.made = [];
      const { client } = watch();
      await vi.advanceTimersByTimeAsync(200_000);
      client.close();
      const made = ScriptedSocket.made.map(({ at }) => at);
      return made.slice(1).map((at, n) => Math.round((at - (made[n] ?? 0)) / 1000));
    };
    expect((await times(1)).slice(0, 8)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
    expect((await times(0.5)).slice(0, 8)).toEqual([1, 1, 2, 4, 8, 15, 15, 15]);
  });

  test("it goes on from its place, and a filtered stream by what came before", async () => {
    const { client, seen } = watch({ filter: { file: ["a.ts", "b.ts"] } });
    await vi.advanceTimersByTimeAsync(10);
    last().say(message(3, { prev: 0 }));
    last().say(message(9, { prev: 3 }));
    last().close(1006);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ScriptedSocket.made).toHaveLength(2);
    expect(Object.fromEntries(last().address.searchParams)).toMatchObject({ epoch: "e1", offset: "9", acks: "1" });
    expect(last().address.searchParams.getAll("file")).toEqual(["a.ts", "b.ts"]);
    expect(last().protocols).toEqual(["vibehq", "bearer.t"]);
    expect(seen).toEqual([3, 9]);
    client.close();
  });

  test("what is missing in between is asked for, and not given out of turn", async () => {
    const { client, seen } = watch();
    await vi.advanceTimersByTimeAsync(10);
    last().say(message(1));
    last().say(message(3));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(seen).toEqual([1]);
    expect(last().address.searchParams.get("offset")).toBe("1");
    client.close();
  });

  test("a gap is told in its place, and the new epoch is gone on with", async () => {
    const { client, seen, resets } = watch({ position: { epoch: "e0", offset: 7 } });
    ScriptedSocket.onMade = (socket) => socket.open({ epoch: "e2", offset: 40, recovered: false });
    await vi.advanceTimersByTimeAsync(10);
    last().say(message(41));
    expect([resets, seen]).toEqual([[40], [41]]);
    expect(client.position).toEqual({ epoch: "e2", offset: 41 });
    client.close();
  });

  test("a connection that fell silent is one that was lost", async () => {
    const { client } = watch();
    await vi.advanceTimersByTimeAsync(30_010);
    expect(last().sent).toEqual(["ping"]);
    last().say("pong");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(ScriptedSocket.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(32_000);
    expect(ScriptedSocket.made).toHaveLength(2);
    client.close();
  });
});

test("what it does not understand is said and passed over, once", async () => {
  const { client, seen, errors } = watch();
  await vi.advanceTimersByTimeAsync(10);
  last().say(message(1));
  last().say({ type: "of_the_future", offset: 2, payload: { v: 9 } });
  last().say("nonsense");
  last().say(message(3));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(seen).toEqual([1, 3]);
  expect(errors).toHaveLength(2);
  expect(ScriptedSocket.made).toHaveLength(1);
  client.close();
});

test("an alert comes in its place among the messages, to who asks for alerts; to others it is no gap", async () => {
  const alert = {
    id: "a-1",
    kind: "health.down",
    severity: "critical",
    title: "ui-factory is down",
    text: "",
    dedupe_key: "health:ui-factory",
    worker: "ui-factory",
    order_id: null,
    project_id: null,
    data: {},
    status: "open",
    count: 1,
    told: 1,
    first_at: "2026-01-01T00:00:00.000Z",
    last_at: "2026-01-01T00:00:00.000Z",
    told_at: "2026-01-01T00:00:00.000Z",
    resolved_at: null,
    resolved_by: null,
  };
  const order: string[] = [];
  const told = watch({
    onMessage: ({ offset }) => void order.push(`message ${offset}`),
    onAlert: ({ offset, payload }) => void order.push(`alert ${offset} ${payload.id}`),
  });
  const untold = watch();
  await vi.advanceTimersByTimeAsync(10);
  for (const socket of ScriptedSocket.made) {
    socket.say(message(1));
    socket.say({ type: "alert", offset: 2, payload: alert });
    socket.say(message(3));
  }
  await vi.advanceTimersByTimeAsync(100);
  expect(order).toEqual(["message 1", "alert 2 a-1", "message 3"]);
  expect(told.client.position).toEqual({ epoch: "e1", offset: 3 });
  expect(untold.seen).toEqual([1, 3]);
  expect([...told.errors, ...untold.errors]).toEqual([]);
  expect(ScriptedSocket.made).toHaveLength(2);
  told.client.close();
  untold.client.close();
});

test("it confirms as it goes, and no more requests wait than it can hold", async () => {
  const { client } = watch();
  await vi.advanceTimersByTimeAsync(10);
  for (let offset = 1; offset <= 600; offset += 1) last().say(message(offset));
  expect(
    last()
      .sent.filter((text) => text.includes('"ack"'))
      .map((text) => JSON.parse(text).offset),
  ).toEqual([256, 512]);
  const asked = Array.from({ length: 40 }, () => client.request("deploy"));
  expect(await asked.at(-1)).toMatchObject({ ok: false, error: { code: "RATE_LIMITED" } });
  client.close();
  expect(await asked[0]).toMatchObject({ ok: false, error: { code: "FACTORY_UNAVAILABLE", nothingWritten: null } });
});
