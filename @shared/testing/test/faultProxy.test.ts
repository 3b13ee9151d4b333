import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { faultControl, startFaultProxy, type FaultProxy } from "@shared/testing";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A service that counts: its answer says how many requests it has had, and repeats the body. */
async function counter(): Promise<{ url: string; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const answer = async () => {
      const body = (await buffer(request)).toString();
      bodies.push(body);
      response.writeHead(201, { "x-count": String(bodies.length) }).end(`${bodies.length}:${body}`);
    };
    void answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

async function proxied(): Promise<{ proxy: FaultProxy; bodies: string[] }> {
  const target = await counter();
  const proxy = await startFaultProxy(target.url);
  stops.push(() => proxy.stop());
  return { proxy, bodies: target.bodies };
}

const post = (proxy: FaultProxy, path: string, body: string) =>
  fetch(new URL(path, proxy.url), { method: "POST", body });

test("without a fault, request and answer pass unchanged", async () => {
  const { proxy, bodies } = await proxied();
  const response = await post(proxy, "/a?b=%2F", "hello");
  expect([response.status, response.headers.get("x-count"), await response.text()]).toEqual([201, "1", "1:hello"]);
  expect(bodies).toEqual(["hello"]);
  expect(proxy.seen).toMatchObject([{ n: 1, method: "POST", path: "/a?b=%2F", body: "hello", statuses: [201] }]);
});

test("a held request reaches the target only when it is released, and others pass it meanwhile", async () => {
  const { proxy, bodies } = await proxied();
  const held = proxy.hold({ path: "/order:1" });
  const answer = post(proxy, "/order%3A1", "held");
  await held.arrived;
  await post(proxy, "/other", "passes");
  expect(bodies).toEqual(["passes"]);
  held.release();
  expect(await (await answer).text()).toBe("2:held");
});

test("a held request still reaches the target after its client gave up", async () => {
  const { proxy, bodies } = await proxied();
  const held = proxy.hold();
  const abort = new AbortController();
  const answer = fetch(proxy.url, { method: "POST", body: "late", signal: abort.signal });
  await held.arrived;
  abort.abort();
  await expect(answer).rejects.toThrow("aborted");
  held.release();
  await held.done;
  expect(bodies).toEqual(["late"]);
});

test("a delayed answer is kept back after the target has done the work", async () => {
  const { proxy, bodies } = await proxied();
  const delayed = proxy.delayUntil();
  const answer = post(proxy, "/", "work");
  await delayed.applied;
  expect(bodies).toEqual(["work"]);
  delayed.release();
  expect((await answer).status).toBe(201);
});

test("dropAfterApply lets the target do the work and breaks the connection instead of answering", async () => {
  const { proxy, bodies } = await proxied();
  const dropped = proxy.dropAfterApply({ method: "POST" });
  await expect(post(proxy, "/", "lost")).rejects.toThrow("fetch failed");
  expect((await dropped.done).statuses).toEqual([201]);
  expect(bodies).toEqual(["lost"]);
  expect(await (await post(proxy, "/", "next")).text()).toBe("2:next");
});

test("a duplicated request reaches the target twice and is answered once", async () => {
  const { proxy, bodies } = await proxied();
  proxy.duplicate({ body: "twice" });
  expect(await (await post(proxy, "/", "twice")).text()).toBe("2:twice");
  expect(bodies).toEqual(["twice", "twice"]);
});

test("a refused request never reaches the target, as many times as was asked", async () => {
  const { proxy, bodies } = await proxied();
  proxy.refuse({}, 2);
  await expect(post(proxy, "/", "a")).rejects.toThrow("fetch failed");
  await expect(post(proxy, "/", "b")).rejects.toThrow("fetch failed");
  await post(proxy, "/", "c");
  expect(bodies).toEqual(["c"]);
});

test("passThrough removes every fault and releases what is held", async () => {
  const { proxy, bodies } = await proxied();
  const held = proxy.hold();
  proxy.refuse({ path: "/refused" }, 100);
  const answer = post(proxy, "/", "held");
  await held.arrived;
  proxy.passThrough();
  expect((await answer).status).toBe(201);
  expect((await post(proxy, "/refused", "passes")).status).toBe(201);
  expect(bodies).toEqual(["held", "passes"]);
});

test("a dead target looks like a broken connection, and a new one takes over", async () => {
  const { proxy } = await proxied();
  const dead = await counter();
  await stops.pop()?.();
  const alive = await counter();
  proxy.retarget(dead.url);
  await expect(post(proxy, "/", "lost")).rejects.toThrow("fetch failed");
  proxy.retarget(alive.url);
  expect((await post(proxy, "/", "back")).status).toBe(201);
});

test("the control endpoint steers the proxy by fetch alone", async () => {
  const { proxy, bodies } = await proxied();
  const control = faultControl(proxy.url);
  const held = await control.set("hold", { path: "/held" });
  const answer = post(proxy, "/held", "x");
  expect(await held.arrived()).toMatchObject({ path: "/held", fault: "hold", statuses: [] });
  expect(bodies).toEqual([]);
  await held.release();
  expect((await answer).status).toBe(201);
  expect(await held.applied()).toMatchObject({ n: 1 });
  expect(await held.done()).toMatchObject({ statuses: [201] });
  await control.set("refuse", {}, 5);
  await control.passThrough();
  expect((await post(proxy, "/", "y")).status).toBe(201);
  expect(await control.seen()).toMatchObject([{ body: "x" }, { body: "y" }]);
});

test("a control command that makes no sense is refused and changes nothing", async () => {
  const { proxy } = await proxied();
  const response = await fetch(new URL("/__control", proxy.url), { method: "POST", body: '{"action":"explode"}' });
  expect(response.status).toBe(400);
  await expect(faultControl(proxy.url).set("hold", {}, -1)).rejects.toThrow("refused");
  expect(proxy.seen).toEqual([]);
});
