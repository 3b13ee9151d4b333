import { type ErrorCode, MAX_BATCH_BYTES } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { answerOf, call, type CallInit, problemOf, tokenWith } from "./caller.ts";

const WORKSPACE = "bad-input";
const engine = inject("engine");
const task = { id: "bad-task", title: "write", type: "generate", allowed: [{ files: "src/**" }] };

beforeAll(async () => {
  const source = { kind: "path", path: engine.source };
  const order = { id: "ORD-bad", title: "An order", factory: "agent-factory", workspaceId: WORKSPACE, source };
  const response = await call("/api/orders", { body: { ...order, tasks: [task] } });
  if (response.status !== 201) throw new Error(await response.text());
});

const good = { op: "append", file: "README.md", block: "more\n" };
const batch = (patch: object, more: object = {}): CallInit => ({
  body: { workspaceId: WORKSPACE, patches: [good, { ...good, ...patch }], ...more },
});
const replace = { op: "replace-block", file: "src/index.ts", start: 2, end: 2, block: "x\n" };

/** The tree of the workspace: what nothing that is refused may change. */
const treeOf = async () => (await answerOf(await call(`/api/workspaces/${WORKSPACE}`))).workspace;

const REFUSED: [what: string, init: CallInit, code: ErrorCode, status: number][] = [
  ["malformed JSON", { raw: '{"patches":[' }, "MALFORMED_JSON", 400],
  ["no body at all", { method: "POST" }, "UNSUPPORTED_MEDIA_TYPE", 415],
  ["an empty body", { raw: "" }, "MALFORMED_JSON", 400],
  ["a body that is no object", { body: [1, 2] }, "VALIDATION_FAILED", 400],
  ["another content type", { raw: "{}", headers: { "content-type": "text/plain" } }, "UNSUPPORTED_MEDIA_TYPE", 415],
  ["no patches", { body: { workspaceId: WORKSPACE, patches: [] } }, "VALIDATION_FAILED", 400],
  ["a wrong type", batch({ block: 7 }), "VALIDATION_FAILED", 400],
  ["an unknown operation", batch({ op: "overwrite" }), "VALIDATION_FAILED", 400],
  ["an end before the start", batch({ ...replace, start: 3, end: 2 }), "VALIDATION_FAILED", 400],
  ["line 0", batch({ ...replace, start: 0, end: 2 }), "VALIDATION_FAILED", 400],
  ["half a line", batch({ ...replace, start: 1.5 }), "VALIDATION_FAILED", 400],
  ["a line beyond the file", batch({ ...replace, start: 900, end: 900 }), "RANGE_OUT_OF_BOUNDS", 422],
  ["a path upwards", batch({ file: "../outside.md" }), "PATH_INVALID", 400],
  ["a path upwards in the middle", batch({ file: "src/../../outside.md" }), "PATH_INVALID", 400],
  ["an absolute path", batch({ file: "/etc/passwd" }), "PATH_INVALID", 400],
  ["NUL in a path", batch({ file: "README\0.md" }), "PATH_INVALID", 400],
  ["the engine's own files", batch({ file: ".mission_control/tasks.json" }), "PATH_FORBIDDEN", 403],
  [
    "a lone surrogate",
    { raw: JSON.stringify({ workspaceId: WORKSPACE, patches: [good] }).replace("more", "\\ud800") },
    "ILL_FORMED_UNICODE",
    400,
  ],
  [
    "bytes that are not UTF-8",
    { raw: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) },
    "ILL_FORMED_UNICODE",
    400,
  ],
  ["a block file from afar", batch({ block: undefined, blockFile: "/etc/passwd" }), "BLOCK_FILE_REFUSED", 400],
  ["an unknown task", batch({ taskId: "nobody" }), "UNKNOWN_TASK", 422],
  ["a task that may not go there", batch({ taskId: task.id }), "TASK_SCOPE_VIOLATION", 403],
  ["a workspace with no valid name", batch({}, { workspaceId: "a b" }), "VALIDATION_FAILED", 400],
  ["a branch without a project", { body: { branch: "main", patches: [good] } }, "WORKSPACE_UNRESOLVED", 400],
  ["a workspace nobody opened", batch({}, { workspaceId: "nowhere" }), "WORKSPACE_NOT_FOUND", 404],
  ["no token", { ...batch({}), token: null }, "UNAUTHENTICATED", 401],
  ["a wrong token", { ...batch({}), token: "vhq_nothing" }, "UNAUTHENTICATED", 401],
  ["a wrong method", { method: "PUT", body: {} }, "METHOD_NOT_ALLOWED", 405],
];

describe("POST /api/patches/apply refuses", () => {
  test.each(REFUSED)("%s and writes nothing", async (_, init, code, status) => {
    const before = await treeOf();
    const response = await call("/api/patches/apply", init);
    const problem = await problemOf(response);
    expect({ code: problem.code, status: response.status }).toEqual({ code, status });
    expect(problem.error.nothingWritten).toBe(true);
    expect(await treeOf()).toEqual(before);
  });

  test("a token without the scope", async () => {
    const { token } = await tokenWith(["patches:read"]);
    expect((await problemOf(await call("/api/patches/apply", { ...batch({}), token }))).code).toBe("FORBIDDEN");
  });

  test("a requester the token may not speak for", async () => {
    const { token } = await tokenWith(["patches:write"], { requesters: ["me"] });
    const response = await call("/api/patches/apply", { ...batch({}, { requester: "you" }), token });
    expect((await problemOf(response)).code).toBe("FORBIDDEN");
  });

  test("a workspace the token is not confined to", async () => {
    const { token } = await tokenWith(["patches:write"], { workspaceId: "elsewhere" });
    expect((await problemOf(await call("/api/patches/apply", { ...batch({}), token }))).code).toBe("FORBIDDEN");
  });

  test("a body over the limit, whether it says its length or not", async () => {
    const raw = JSON.stringify({ workspaceId: WORKSPACE, patches: [{ ...good, block: "x".repeat(MAX_BATCH_BYTES) }] });
    const slightly = await call("/api/patches/apply", { raw });
    expect((await problemOf(slightly)).code).toBe("BODY_TOO_LARGE");
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const chunk = new Uint8Array(1024 * 1024).fill(0x20);
    const writing = (async () => {
      for (let n = 0; n < 64; n++) await writer.write(chunk);
    })().catch(() => "given up");
    const endless = await call("/api/patches/apply", { raw: readable });
    expect((await problemOf(endless)).code).toBe("BODY_TOO_LARGE");
    expect(await writing).toBe("given up");
  });

  test("the whole of what it accepts otherwise, in the end", async () => {
    expect((await call("/api/patches/apply", batch({ file: "src/index.ts" }))).status).toBe(200);
  });
});

const count = async (table: string) => env.DB_PROJECTS.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>("n");

describe("the other doors refuse", () => {
  const long = "x".repeat(300 * 1024);
  const order = { title: "An order", factory: "agent-factory" };
  test.each<[what: string, path: string, init: CallInit, code: ErrorCode]>([
    ["malformed JSON for an order", "/api/orders", { raw: "{" }, "MALFORMED_JSON"],
    ["an order of an unknown factory", "/api/orders", { body: { ...order, factory: "x" } }, "VALIDATION_FAILED"],
    ["an order whose id is a path", "/api/orders", { body: { ...order, id: "../x" } }, "VALIDATION_FAILED"],
    ["an order with NUL in its id", "/api/orders", { body: { ...order, id: "a\0" } }, "VALIDATION_FAILED"],
    [
      "an order with one task id twice",
      "/api/orders",
      { body: { ...order, tasks: [task, task] } },
      "VALIDATION_FAILED",
    ],
    ["a task without an order", "/api/tasks", { body: { title: "x", type: "fix" } }, "VALIDATION_FAILED"],
    ["a task of an unknown order", "/api/tasks", { body: { title: "x", type: "fix", orderId: "no" } }, "NOT_FOUND"],
    [
      "a task of an unknown type",
      "/api/tasks",
      { body: { title: "x", type: "y", orderId: "no" } },
      "VALIDATION_FAILED",
    ],
    ["a project over 256 KiB", "/api/projects", { body: { name: long } }, "BODY_TOO_LARGE"],
    ["a lone surrogate in a project", "/api/projects", { raw: '{"name":"\\udfff"}' }, "ILL_FORMED_UNICODE"],
    [
      "a token with an unknown scope",
      "/api/auth/tokens",
      { body: { name: "x", scopes: ["all"] } },
      "VALIDATION_FAILED",
    ],
    [
      "a token with unknown fields",
      "/api/auth/tokens",
      { body: { name: "x", scopes: ["admin"], a: 1 } },
      "VALIDATION_FAILED",
    ],
    ["a workspace from nowhere", "/api/workspaces", { body: { workspaceId: "w" } }, "VALIDATION_FAILED"],
    [
      "a workspace from outside the source roots",
      "/api/workspaces",
      { body: { workspaceId: "w", source: { kind: "path", path: "/etc" } } },
      "SOURCE_INVALID",
    ],
    ["a simulated wrong batch", "/api/patches/simulate", { body: {} }, "VALIDATION_FAILED"],
    ["a validation without a batch", "/api/patches/validate", { body: {} }, "VALIDATION_FAILED"],
    ["a revert without a target", "/api/patches/revert", { body: {} }, "VALIDATION_FAILED"],
    [
      "a revert of what is not there",
      "/api/patches/revert",
      { body: { workspaceId: WORKSPACE, target: { by: "patch", id: "no" } } },
      "PATCH_NOT_FOUND",
    ],
    ["events that are none", "/api/patches/events", { body: { events: [{}] } }, "VALIDATION_FAILED"],
    ["an unknown patch", "/api/patches/nobody", {}, "PATCH_NOT_FOUND"],
    ["a log limit over 500", "/api/patches/logs?limit=501", {}, "VALIDATION_FAILED"],
    ["an unknown event type", "/api/patches/logs?event_type=x", {}, "VALIDATION_FAILED"],
    ["an unknown address", "/api/nothing", {}, "NOT_FOUND"],
    ["a phase of an unknown order", "/api/orders/no/phases", { body: { phase: "x" } }, "NOT_FOUND"],
    ["a file upwards", `/api/workspaces/${WORKSPACE}/files/..%2f..%2fetc%2fpasswd`, {}, "PATH_INVALID"],
  ])("%s", async (_, path, init, code) => {
    const before = [await count("orders"), await count("tasks"), await count("projects")];
    const response = await call(path, init);
    expect((await problemOf(response)).code).toBe(code);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect([await count("orders"), await count("tasks"), await count("projects")]).toEqual(before);
  });
});
