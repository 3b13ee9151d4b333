import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { startEngineHost } from "@shared/testing";
import { afterEach, expect, test } from "vitest";
import { startHeartbeat } from "../heartbeat.ts";

interface Beat {
  authorization: string | undefined;
  path: string | undefined;
  body: { container: string; every_s: number; ending: boolean };
}
let server: Server | null = null;
afterEach(() => server?.close());

/** An orchestrator that notes beats, and answers with these statuses, one after the other, then with 200. */
async function orchestrator(statuses: number[] = []) {
  const beats: Beat[] = [];
  const waiting: (() => void)[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: Beat["body"] = JSON.parse(await text(request));
    beats.push({ authorization: request.headers.authorization, path: request.url, body });
    response.writeHead(statuses.shift() ?? 200).end("{}");
    for (const wake of waiting.splice(0)) wake();
  };
  server = createServer((request, response) => void take(request, response));
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const until = async (count: number): Promise<void> => {
    while (beats.length < count) await new Promise<void>((wake) => waiting.push(wake));
  };
  return { url: `http://127.0.0.1:${address.port}`, beats, until };
}

test("beats at its pace from the start, and says when it ends on purpose", async () => {
  const { url, beats, until } = await orchestrator();
  const log = { info: () => undefined, warn: () => undefined };
  const end = startHeartbeat({ url, token: "t", container: "c-1", log, everySeconds: 0.02 });
  await until(3);
  await end();
  expect(beats[0]).toEqual({
    authorization: "Bearer t",
    path: "/api/health/heartbeats",
    body: { container: "c-1", every_s: 0.02, ending: false },
  });
  expect(beats.at(-1)?.body.ending).toBe(true);
  expect(beats.filter(({ body }) => body.ending)).toHaveLength(1);
});

test("goes on when beats are refused, and says so once", async () => {
  const { url, until } = await orchestrator([503, 503, 503]);
  const lines: string[] = [];
  const log = { info: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) };
  const end = startHeartbeat({ url, token: "t", container: "c-1", log, everySeconds: 0.02 });
  await until(5);
  await end();
  expect(lines).toEqual(["the orchestrator does not take heartbeats", "the orchestrator takes heartbeats again"]);
});

test("the host beats where it is told of an orchestrator, and ends with its last beat", async () => {
  const { url, beats, until } = await orchestrator();
  const host = await startEngineHost({
    env: { ORCHESTRATOR_URL: url, ORCHESTRATOR_TOKEN: "t", VIBEHQ_WORKSPACE_ID: "order:ORD-1" },
  });
  await until(1);
  expect(beats[0]?.body).toMatchObject({ container: "order:ORD-1", ending: false });
  expect(await host.stop()).toMatchObject({ code: 0 });
  expect(beats.at(-1)?.body.ending).toBe(true);
});
