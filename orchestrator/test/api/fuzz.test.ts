import { ERROR_STATUS } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { z } from "zod";
import { openapiDocument } from "../../worker/api/openapi.ts";
import { app } from "../../worker/app.ts";
import { BOOTSTRAP, call, problemOf } from "./caller.ts";
import { HOSTILE_TEXTS, type JsonSchema, pick, type Random, randomOf, Sampler, spoil } from "./fuzzValues.ts";

/** How many calls of each kind an operation gets. */
const RUNS = { valid: 12, boundary: 24, hostile: 32 } as const;
/** Each operation its own values, whatever others come or go. */
const seedOf = (name: string): number =>
  Array.from(name, (letter) => letter.codePointAt(0) ?? 0).reduce((sum, code) => (sum * 31 + code) | 0, SEED);
type Kind = keyof typeof RUNS;
const SEED = 20_261_121;

const SchemaSchema = z.record(z.string(), z.unknown());
const OperationSchema = z.looseObject({
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), schema: SchemaSchema })).default([]),
  requestBody: z
    .looseObject({ content: z.looseObject({ "application/json": z.looseObject({ schema: SchemaSchema }) }) })
    .optional(),
});
type Operation = z.infer<typeof OperationSchema>;
const document = z
  .looseObject({
    paths: z.record(z.string(), z.record(z.string(), OperationSchema)),
    components: z.looseObject({ schemas: z.record(z.string(), SchemaSchema) }),
  })
  .parse(openapiDocument(app));
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    method: method.toUpperCase(),
    operation,
  })),
);

/** What a path's parameter may be, so that calls get behind the look-up of what they name. */
const EXISTING: Record<string, string> = {
  workspaceId: "fuzz",
  file: "src/index.ts",
  orderId: "ORD-fuzz",
  taskId: "task-1",
  projectId: "fuzz",
};

beforeAll(async () => {
  const made = [
    await call("/api/projects", { body: { id: "fuzz", name: "Fuzz", repository: "a/b" } }),
    await call("/api/orders", {
      body: {
        id: "ORD-fuzz",
        title: "An order",
        factory: "agent-factory",
        workspaceId: "fuzz",
        source: { kind: "path", path: inject("engine").source },
        tasks: [{ id: "task-1", title: "write", type: "generate", allowed: [{ files: "**" }] }],
      },
    }),
  ];
  const refused = made.find((response) => !response.ok);
  if (refused) throw new Error((await problemOf(refused)).detail);
});

/** What no caller may ever read: words of the parts beneath, addresses of this side, secrets. */
const INTERNAL =
  /SQLITE|D1_|SqlError|TypeError|RangeError|SyntaxError|ZodError|ReferenceError|is not a function|Cannot read propert|no such (?:table|column)|workerd|127\.0\.0\.1/;
const SECRETS = [BOOTSTRAP, env.ENGINE_TOKEN, env.SESSION_SECRET];

function checkText(text: string, sent: string): void {
  for (const secret of SECRETS) expect(text).not.toContain(secret);
  const told = INTERNAL.exec(text)?.[0];
  // What the caller itself wrote may come back to it.
  if (told !== undefined && !sent.includes(told)) throw new Error(`tells ${told}: ${text.slice(0, 500)}`);
}

async function check(response: Response, sent: string): Promise<void> {
  if (response.webSocket !== null) {
    response.webSocket.accept();
    response.webSocket.close(1000);
    return;
  }
  if (response.status >= 400) {
    const shown = response.clone();
    const problem = await problemOf(response);
    expect(problem.status).toBe(response.status);
    expect(ERROR_STATUS[problem.code]).toBe(response.status);
    // No provider has a key here, which is then the right answer and no failure.
    if (problem.code !== "PROVIDER_UNAVAILABLE") {
      expect(response.status, `${problem.code}: ${problem.detail}`).toBeLessThan(500);
    }
    return checkText(await shown.text(), sent);
  }
  expect(response.status).toBeGreaterThanOrEqual(200);
  checkText(await response.text(), sent);
}

/** One call of an operation; `sent` is all of it as text, to tell a repeated word from one of ours. */
function requestOf(kind: Kind, random: Random, path: string, method: string, operation: Operation) {
  const sampler = new Sampler(document.components.schemas, random, kind === "boundary" ? 25 : 0);
  const isHostile = kind === "hostile";
  const text = (schema: JsonSchema): string => {
    if (isHostile && random(2) === 0) return pick(random, HOSTILE_TEXTS);
    const value = sampler.value(schema);
    return typeof value === "string" ? value : JSON.stringify(value);
  };
  let address = path;
  const query: [string, string][] = [];
  for (const { name, in: place, schema } of operation.parameters) {
    if (place === "path") {
      const value = !isHostile || random(3) === 0 ? (EXISTING[name] ?? text(schema)) : pick(random, HOSTILE_TEXTS);
      // A lone surrogate has no percent-encoding: a client cannot write it into an address.
      address = address.replace(`{${name}}`, encodeURIComponent((value || "x").toWellFormed().slice(0, 2_000)));
    } else if (random(3) > 0) {
      for (let times = isHostile ? random(3) : 1; times > 0; times -= 1) {
        query.push([name, text(schema).toWellFormed().slice(0, 2_000)]);
      }
    }
  }
  const search = query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  const schema = operation.requestBody?.content["application/json"].schema;
  const sampled = schema === undefined ? undefined : sampler.value(schema);
  const body = isHostile && sampled !== undefined ? spoil(sampled, random) : sampled;
  const raw = body === undefined ? null : JSON.stringify(body);
  const headers: Record<string, string> = {
    ...(path === "/ws" ? { upgrade: "websocket" } : {}),
    ...(isHostile && random(8) === 0
      ? { "content-type": pick(random, ["text/plain", "application/json;x", "a/b"]) }
      : {}),
  };
  const at = `${address}${search === "" ? "" : `?${search}`}`;
  return { at, init: { method, headers, ...(raw === null ? {} : { raw }) }, sent: `${decodeURIComponent(at)} ${raw}` };
}

describe.each(operations)("$name", ({ name, path, method, operation }) => {
  test.each(Object.keys(RUNS) as Kind[])(
    "given %s values answers below 500, with a problem document where it refuses, and says nothing of the inside",
    { timeout: 120_000 },
    async (kind) => {
      const random = randomOf(seedOf(`${name} ${kind}`));
      for (let run = 0; run < RUNS[kind]; run += 1) {
        const { at, init, sent } = requestOf(kind, random, path, method, operation);
        const response = await call(at, init);
        await check(response, sent).catch((error: unknown) => {
          throw new Error(`${method} ${at.slice(0, 300)} ${String(init.raw).slice(0, 600)}`, { cause: error });
        });
      }
    },
  );
});

test("whole bodies that are hostile as they stand are refused by every operation that takes one", async () => {
  const bodies: (string | Uint8Array)[] = [
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "1e999",
    '{"a":1}{"b":2}',
    `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
    new Uint8Array([0xff, 0xfe, 0x00]),
    '\ufeff{"a":1}',
    `{"a":"${"x".repeat(300_000)}"}`,
  ];
  for (const { path, method } of operations.filter((each) => each.operation.requestBody)) {
    const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => EXISTING[name] ?? "x");
    for (const raw of bodies) {
      const response = await call(address, { method, raw, headers: { "content-type": "application/json" } });
      if (response.ok && raw === "") continue;
      await check(response, String(raw)).catch((error: unknown) => {
        throw new Error(`${method} ${address} ${String(raw).slice(0, 60)}`, { cause: error });
      });
      expect(response.status, `${method} ${address} ${String(raw).slice(0, 60)}`).toBeGreaterThanOrEqual(400);
    }
  }
});
