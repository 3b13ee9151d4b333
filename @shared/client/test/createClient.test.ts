import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { problemOf, vibeError } from "@shared/contracts";
import { afterEach, describe, expect, test } from "vitest";
import { createClient } from "../index.ts";

interface Asked {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  body: string;
}

let close = async (): Promise<void> => undefined;
afterEach(() => close());

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
};

/** A server on the loopback interface that answers every request alike and keeps what it was asked. */
async function serve(status: number, body: unknown) {
  const asked: Asked[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = request;
    asked.push({ method, url, authorization: headers.authorization, body: await bodyOf(request) });
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    close = async () => undefined;
  };
  return { asked, client: createClient({ url: `http://127.0.0.1:${port}`, token: "secret-token" }) };
}

const project = {
  id: "P-1",
  name: "One",
  repository: null,
  branch: "main",
  created_by: "token:t",
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:00.000Z",
};

describe("an answer", () => {
  test("is parsed, and the request carried the token and the body", async () => {
    const { asked, client } = await serve(201, { ok: true, project });
    expect(await client.projects.create({ id: "P-1", name: "One" })).toEqual({ ok: true, project });
    expect(asked).toEqual([
      {
        method: "POST",
        url: "/api/projects",
        authorization: "Bearer secret-token",
        body: JSON.stringify({ id: "P-1", name: "One" }),
      },
    ]);
  });

  test("in another shape than the contract's is an error, not a value", async () => {
    for (const body of [{ ok: true, project: { id: 1 } }, "<html>", []]) {
      const { client } = await serve(200, body);
      expect(await client.projects.get("P-1")).toMatchObject({ ok: false, error: { code: "INTERNAL" } });
      await close();
    }
  });
});

test("ids are escaped in paths, and filters without a value are not sent", async () => {
  const { asked, client } = await serve(200, { ok: true, results: [] });
  await client.patches.logs({ file: "a b&c.ts", limit: 5 });
  await client.workspaces.get("order:ORD-1/../x");
  expect(asked.map(({ url }) => url)).toEqual([
    "/api/patches/logs?file=a+b%26c.ts&limit=5",
    "/api/workspaces/order%3AORD-1%2F..%2Fx",
  ]);
});

describe("a refusal", () => {
  test("is the structured error of its problem document", async () => {
    const error = vibeError("STALE_CONTENT", "moved", { candidates: [{ start: 3, end: 4 }] });
    const { client } = await serve(409, problemOf(error));
    expect(await client.orders.get("O-1")).toMatchObject({ ok: false, error });
  });

  test("of a batch keeps the outcome and the events it got as far as", async () => {
    const error = vibeError("STALE_CONTENT", "moved");
    const outcome = {
      ok: false,
      status: "failed",
      batchId: "B-1",
      workspaceId: "default",
      head: { seq: 0, hash: "0".repeat(64) },
      patches: [],
      files: [],
      checks: [],
      treeHash: null,
      durationMs: 1,
    };
    const { client } = await serve(409, { ...problemOf(error), outcome, results: [] });
    const answer = await client.patches.apply({ patches: [{ op: "delete-file", file: "a" }] });
    expect(answer).toEqual({ ok: false, error, outcome, results: [] });
  });
});

test("statistics and telemetry are asked where they are, and parsed", async () => {
  const hil = {
    ok: true,
    ts: "2026-01-01T00:00:00.000Z",
    queue: { available: false, reason: "not yet" },
    waiting: { executions: 0, conversations: 0, failed_tasks: 2, since: null },
  };
  const { client, asked } = await serve(200, hil);
  expect(await client.telemetry.hil()).toEqual(hil);
  expect(await client.patches.stats({ from: "2026-01-01", project: "web" })).toMatchObject({ ok: false });
  expect(await client.patches.trends({ group: "order", limit: 5 })).toMatchObject({ ok: false });
  expect(asked.map(({ url }) => url)).toEqual([
    "/api/telemetry/hil",
    "/api/patches/stats?from=2026-01-01&project=web",
    "/api/patches/trends?group=order&limit=5",
  ]);
});

test("a server that does not answer is an error that leaves open whether the request arrived", async () => {
  const { client } = await serve(200, {});
  await close();
  expect(await client.health()).toMatchObject({
    ok: false,
    error: { code: "UNREACHABLE", retryable: true, nothingWritten: null },
  });
});

test("a call that its caller gave up rejects with the caller's reason", async () => {
  const { client } = await serve(200, {});
  await expect(client.health({ signal: AbortSignal.abort(new Error("not needed")) })).rejects.toThrow("not needed");
});

test("without a token it goes by the browser's cookie, with what the server asks for beside it", async () => {
  const asked: Headers[] = [];
  const keep: typeof fetch = async (_, init) => {
    asked.push(new Headers(init?.headers));
    return Response.json({ ok: true });
  };
  await createClient({ url: "http://127.0.0.1:1", fetch: keep }).auth.signOut();
  await createClient({ url: "http://127.0.0.1:1", fetch: keep, token: "t" }).auth.signOut();
  expect(asked.map((headers) => [headers.get("x-vibehq-csrf"), headers.get("authorization")])).toEqual([
    ["1", null],
    [null, "Bearer t"],
  ]);
});
