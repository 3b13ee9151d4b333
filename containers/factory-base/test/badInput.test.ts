import { once } from "node:events";
import { request as sendRequest, type IncomingMessage } from "node:http";
import { symlink } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  aBatch,
  aCreateFile,
  aDeleteFile,
  anAppend,
  anInsertBefore,
  aRenameFile,
  aReplaceBlock,
  aSearchReplace,
  aTasksFile,
  startEngineHost,
  type EngineResponse,
  type RunningEngineHost,
} from "@shared/testing";
import { EngineAnswerSchema, MAX_BATCH_BYTES, type ErrorCode } from "@shared/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { problemIn, openWorkspace, workspacePath } from "./support/host.ts";
import { readTree, writeTree } from "./support/tree.ts";

/** What stands at every door of the host: a 4xx with its code, nothing written, nothing of the inside shown. */

const ID = "order:ORD-1";
let directory: string;
let host: RunningEngineHost;
let workspace: string;

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "factory-base-test-")));
  const source = join(directory, "source");
  await writeTree(source, { "src/index.ts": "export const one = 1;\n", "src/bin.dat": "a\0b", "link-target.txt": "x" });
  await writeTree(directory, { "outside/secret.txt": "top secret\n" });
  host = await startEngineHost({
    dataDir: join(directory, "data"),
    sourceRoots: [source],
    env: { ENGINE_MAX_BODY_BYTES: String(16 * 1024 * 1024) },
  });
  await openWorkspace(host, ID, { kind: "path", path: source });
  await host.request("PUT", workspacePath(ID, "/tasks"), aTasksFile());
  const [name] = readdirSync(join(directory, "data/workspaces"));
  workspace = join(directory, "data/workspaces", name!);
  await symlink(join(directory, "outside"), join(workspace, "out"));
  await symlink(join(directory, "outside/secret.txt"), join(workspace, "secret.txt"));
});
afterAll(async () => {
  await host.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Every file below the test's directory, but for the engine's lock. */
const everything = async () => {
  const files = Object.entries(await readTree(directory));
  return Object.fromEntries(files.filter(([path]) => !path.endsWith("/.mission_control/lock")));
};
interface RawRequest {
  method: string;
  /** Sent as it stands. */
  path: string;
  headers?: Record<string, string>;
  /** Large ones are made when they are sent: a table of tests is printed. */
  body?: string | Buffer | (() => string | Buffer);
}

/** Sends exactly these bytes: fetch would tidy up a path, and finish a body before it reads an answer. */
async function raw({ method, path, headers = {}, body }: RawRequest): Promise<EngineResponse> {
  const { hostname, port } = new URL(host.url);
  const content = typeof body === "function" ? body() : (body ?? "");
  const outgoing = sendRequest({
    method,
    path,
    hostname,
    port,
    headers: { authorization: `Bearer ${host.token}`, "content-type": "application/json", ...headers },
  });
  if (headers["content-length"] === undefined) outgoing.end(content);
  else outgoing.write(content);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const answer = await text(response);
  outgoing.destroy();
  const answered = new Headers();
  for (const [name, value] of Object.entries(response.headers)) answered.set(name, String(value));
  const isJson = /json/.test(answered.get("content-type") ?? "");
  return { status: response.statusCode ?? 0, headers: answered, body: isJson ? JSON.parse(answer) : answer };
}

/** Sends a request that must be refused; every byte of workspace, sources and beyond is as it was. */
async function refused(request: RawRequest, status: number, code: ErrorCode): Promise<EngineResponse> {
  const before = await everything();
  const response = await raw(request);
  expectRefusal(response, status, code);
  expect(await everything()).toEqual(before);
  return response;
}

function expectRefusal(response: EngineResponse, status: number, code: ErrorCode): void {
  const shown = JSON.stringify(response.body);
  expect({ status: response.status, shown }).toMatchObject({ status, shown: expect.stringContaining(`"${code}"`) });
  if (response.headers.get("content-type") === "application/problem+json") {
    expect(problemIn(response).code).toBe(code);
  } else {
    const answer = EngineAnswerSchema.parse(response.body);
    expect(answer).toMatchObject({ ok: false, error: { code, nothingWritten: true } });
  }
  for (const inside of [directory, host.token, "node_modules", "top secret"]) expect(shown).not.toContain(inside);
  expect(shown).not.toMatch(/\bat .+:\d+:\d+/);
}

const batches = workspacePath(ID, "/batches");
const post = (path: string, body: string | Buffer, headers?: Record<string, string>): RawRequest => ({
  method: "POST",
  path,
  body,
  ...(headers ? { headers } : {}),
});

describe("who is calling", () => {
  const routes: [string, string][] = [
    ["POST", "/v1/workspaces"],
    ["GET", workspacePath(ID)],
    ["POST", batches],
    ["POST", workspacePath(ID, "/revert")],
    ["POST", workspacePath(ID, "/validate")],
    ["POST", workspacePath(ID, "/replay")],
    ["POST", workspacePath(ID, "/markers")],
    ["PUT", workspacePath(ID, "/tasks")],
    ["GET", workspacePath(ID, "/files/src/index.ts")],
    ["GET", workspacePath(ID, "/log")],
    ["GET", workspacePath(ID, "/patches/P-1")],
    ["GET", "/v1/no/such/route"],
  ];
  test.for(routes)("%s %s asks for the token", async ([method, path]) => {
    const body = JSON.stringify({ batch: aBatch() });
    for (const authorization of [
      "",
      "Bearer",
      "Bearer ",
      "Bearer wrong",
      `Basic ${host.token}`,
      `Bearer ${host.token}x`,
    ]) {
      const request = { method, path, headers: { authorization }, ...(method === "GET" ? {} : { body }) };
      const response = await refused(request, 401, "UNAUTHENTICATED");
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
    }
  });
});

describe("a body", () => {
  const written: [string, string, string][] = [
    ["POST", "/v1/workspaces", "{}"],
    ["POST", batches, '{"batch":{"patches":[]}}'],
    ["POST", workspacePath(ID, "/revert"), '{"target":{"by":"line","id":"1"},"batchId":"R"}'],
    ["POST", workspacePath(ID, "/replay"), '{"entries":[{}],"treeHash":""}'],
    ["POST", workspacePath(ID, "/markers"), '{"files":"all"}'],
    ["PUT", workspacePath(ID, "/tasks"), '{"version":2}'],
  ];
  const doors = written.flatMap(([method, path, wrong]): [string, RawRequest, number, ErrorCode][] => [
    [`${path} malformed`, { method, path, body: '{"a":' }, 400, "MALFORMED_JSON"],
    [`${path} empty`, { method, path, body: "" }, 400, "MALFORMED_JSON"],
    [`${path} not UTF-8`, { method, path, body: Buffer.from([0x22, 0xff, 0x22]) }, 400, "ILL_FORMED_UNICODE"],
    [`${path} with a lone surrogate`, { method, path, body: '{"a":"\\ud800"}' }, 400, "ILL_FORMED_UNICODE"],
    [`${path} with a lone surrogate as a key`, { method, path, body: '{"\\udfff":1}' }, 400, "ILL_FORMED_UNICODE"],
    [`${path} of another type`, { method, path, body: "[]" }, 400, "VALIDATION_FAILED"],
    [`${path} null`, { method, path, body: "null" }, 400, "VALIDATION_FAILED"],
    [`${path} with wrong fields`, { method, path, body: wrong }, 400, "VALIDATION_FAILED"],
    [
      `${path} nested without end`,
      { method, path, body: () => "[".repeat(200_000) + "]".repeat(200_000) },
      400,
      "VALIDATION_FAILED",
    ],
    [
      `${path} as text`,
      { method, path, body: "{}", headers: { "content-type": "text/plain" } },
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    [
      `${path} over the limit`,
      { method, path, body: () => Buffer.alloc(17 * 1024 * 1024, 0x20) },
      413,
      "BODY_TOO_LARGE",
    ],
  ]);
  test.for(doors)("%s is refused", async ([, request, status, code]) => {
    await refused(request, status, code);
  });

  test("over the limit is refused by its declared length, before it is sent", async () => {
    await refused(post(batches, "{", { "content-length": String(1024 ** 3) }), 413, "BODY_TOO_LARGE");
  });

  test("over the limit is refused without a declared length too", async () => {
    const body = Buffer.alloc(MAX_BATCH_BYTES + 128 * 1024, 0x20);
    await refused(post(batches, body, { "transfer-encoding": "chunked" }), 413, "BODY_TOO_LARGE");
  });
});

describe("a batch", () => {
  const LONE = "\\ud800";
  const cases: [string, unknown, number, ErrorCode][] = [
    [
      "whose end is before its start",
      aBatch({ patches: [aReplaceBlock({ start: 2, end: 1 })] }),
      400,
      "VALIDATION_FAILED",
    ],
    ["of line 0", aBatch({ patches: [anInsertBefore({ line: 0 })] }), 400, "VALIDATION_FAILED"],
    ["of half a line", aBatch({ patches: [anInsertBefore({ line: 1.5 })] }), 400, "VALIDATION_FAILED"],
    ["of a line in words", { patches: [{ ...anInsertBefore(), line: "1" }] }, 400, "VALIDATION_FAILED"],
    ["of an unknown operation", { patches: [{ op: "overwrite", file: "src/index.ts" }] }, 400, "VALIDATION_FAILED"],
    ["without patches", { patches: [] }, 400, "VALIDATION_FAILED"],
    ["that is a string", "patch it", 400, "VALIDATION_FAILED"],
    ["with an id that is a path", aBatch({ batchId: "../../x" }), 400, "VALIDATION_FAILED"],
    [
      "with a patch id that is a path",
      aBatch({ patches: [aReplaceBlock({ id: "../../x" })] }),
      400,
      "VALIDATION_FAILED",
    ],
    ["beyond the file", aBatch({ patches: [aReplaceBlock({ start: 9, end: 9 })] }), 422, "RANGE_OUT_OF_BOUNDS"],
    ["out of the workspace by ..", aBatch({ patches: [anAppend({ file: "../x.ts" })] }), 400, "PATH_INVALID"],
    ["with .. inside", aBatch({ patches: [anAppend({ file: "src/../../x.ts" })] }), 400, "PATH_INVALID"],
    ["to an absolute path", aBatch({ patches: [anAppend({ file: "/tmp/x.ts" })] }), 400, "PATH_INVALID"],
    ["with NUL in a path", aBatch({ patches: [anAppend({ file: "src/a\0.ts" })] }), 400, "PATH_INVALID"],
    ["that renames out", aBatch({ patches: [aRenameFile({ to: "../x.ts" })] }), 400, "PATH_INVALID"],
    ["through a symlink", aBatch({ patches: [anAppend({ file: "out/secret.txt" })] }), 403, "PATH_FORBIDDEN"],
    [
      "that creates through a symlink",
      aBatch({ patches: [aCreateFile({ file: "out/x.txt" })] }),
      403,
      "PATH_FORBIDDEN",
    ],
    ["to a symlink", aBatch({ patches: [anAppend({ file: "secret.txt" })] }), 403, "PATH_FORBIDDEN"],
    [
      "that deletes through a symlink",
      aBatch({ patches: [aDeleteFile({ file: "out/secret.txt" })] }),
      403,
      "PATH_FORBIDDEN",
    ],
    ["to the log", aBatch({ patches: [anAppend({ file: ".mission_control/log.jsonl" })] }), 403, "PATH_FORBIDDEN"],
    [
      "to the tasks",
      aBatch({ patches: [aCreateFile({ file: ".mission_control/tasks.json" })] }),
      403,
      "PATH_FORBIDDEN",
    ],
    ["to a hook", aBatch({ patches: [aCreateFile({ file: ".git/hooks/pre-commit" })] }), 403, "PATH_FORBIDDEN"],
    ["to a binary file", aBatch({ patches: [anAppend({ file: "src/bin.dat" })] }), 422, "BINARY_FILE"],
    ["with NUL in its text", aBatch({ patches: [anAppend({ block: "a\0b" })] }), 422, "NUL_IN_CONTENT"],
    [
      "with a blockFile",
      { patches: [{ ...anAppend(), block: undefined, blockFile: "/etc/passwd" }] },
      400,
      "BLOCK_FILE_REFUSED",
    ],
    ["of an unknown task", aBatch({ patches: [anAppend({ taskId: "TASK-404" })] }), 422, "UNKNOWN_TASK"],
    [
      "outside its task",
      aBatch({ patches: [aCreateFile({ file: "x.ts", taskId: "TASK-1" })] }),
      403,
      "TASK_SCOPE_VIOLATION",
    ],
    [
      "of a text that is not there",
      aBatch({ patches: [aSearchReplace({ search: "absent" })] }),
      409,
      "SEARCH_NOT_FOUND",
    ],
    ["with one bad patch", aBatch({ patches: [anAppend(), anAppend({ file: "../x" })] }), 400, "PATH_INVALID"],
  ];
  test.for(cases)("%s is refused", async ([, batch, status, code]) => {
    await refused(post(batches, JSON.stringify({ batch })), status, code);
    await refused(post(batches, JSON.stringify({ batch, simulate: true })), status, code);
  });

  test("with ill-formed Unicode anywhere is refused with the place", async () => {
    const patch = `{"op":"append","file":"src/index.ts","block":"a${LONE}b"}`;
    const response = await refused(post(batches, `{"batch":{"patches":[${patch}]}}`), 400, "ILL_FORMED_UNICODE");
    expect(problemIn(response).error.findings?.[0]?.path).toEqual(["batch", "patches", 0, "block"]);
  });
});

describe("a path", () => {
  const cases: [string, string, string, number, ErrorCode][] = [
    ["of an unknown workspace", "GET", workspacePath("absent"), 404, "WORKSPACE_NOT_FOUND"],
    ["of a workspace that is no id", "GET", workspacePath("../../etc"), 400, "VALIDATION_FAILED"],
    ["with an id of another alphabet", "GET", workspacePath("a b"), 400, "VALIDATION_FAILED"],
    ["with a malformed escape", "GET", "/v1/workspaces/%zz", 400, "VALIDATION_FAILED"],
    ["that climbs out of the files", "GET", workspacePath(ID, "/files/%2e%2e%2fsecret.txt"), 400, "PATH_INVALID"],
    ["to an absolute file", "GET", workspacePath(ID, "/files/%2fetc%2fpasswd"), 400, "PATH_INVALID"],
    ["with NUL", "GET", workspacePath(ID, "/files/a%00b"), 400, "PATH_INVALID"],
    ["through a symlink", "GET", workspacePath(ID, "/files/out/secret.txt"), 403, "PATH_FORBIDDEN"],
    ["to the engine's state", "GET", workspacePath(ID, "/files/.mission_control/source.json"), 403, "PATH_FORBIDDEN"],
    ["that dots lead elsewhere", "GET", workspacePath(ID, "/files/../../../healthz/x"), 404, "NOT_FOUND"],
    ["of a log before its beginning", "GET", workspacePath(ID, "/log?after=-1"), 400, "VALIDATION_FAILED"],
    ["of too long a log", "GET", workspacePath(ID, "/log?limit=1001"), 400, "VALIDATION_FAILED"],
    ["of no route", "GET", "/v1/nothing", 404, "NOT_FOUND"],
    ["of no route outside", "GET", "/nothing", 404, "NOT_FOUND"],
    ["with another method", "DELETE", workspacePath(ID), 405, "METHOD_NOT_ALLOWED"],
  ];
  test.for(cases)("%s is refused", async ([, method, path, status, code]) => {
    await refused({ method, path }, status, code);
  });
});

describe("a revert", () => {
  test.for([
    ["patch", "PATCH_NOT_FOUND"],
    ["batch", "BATCH_NOT_FOUND"],
  ] as const)("of an unknown %s is refused", async ([by, code]) => {
    const body = JSON.stringify({ target: { by, id: "absent" }, batchId: "R-1" });
    await refused(post(workspacePath(ID, "/revert"), body), 404, code);
  });
});

describe("opening", () => {
  const cases: [string, string, unknown, number, ErrorCode][] = [
    ["an id that is a path", "../x", { kind: "template", template: "a" }, 400, "VALIDATION_FAILED"],
    ["an unknown kind", "w", { kind: "ftp", url: "x" }, 400, "VALIDATION_FAILED"],
    ["a template that is a path", "w", { kind: "template", template: "../x" }, 400, "VALIDATION_FAILED"],
    ["an unknown template", "w", { kind: "template", template: "absent" }, 422, "SOURCE_INVALID"],
    ["a path outside the roots", "w", { kind: "path", path: "/etc" }, 422, "SOURCE_INVALID"],
    ["an archive outside the roots", "w", { kind: "archive", path: "/etc/hostname" }, 422, "SOURCE_INVALID"],
    ["an archive twice", "w", { kind: "archive", path: "/a", base64: "" }, 400, "VALIDATION_FAILED"],
    ["an archive that is none", "w", { kind: "archive", base64: "aGVsbG8=" }, 422, "SOURCE_INVALID"],
    ["an archive that is no base64", "w", { kind: "archive", base64: "…" }, 400, "VALIDATION_FAILED"],
    ["a repository outside the roots", "w", { kind: "git", repository: "/etc" }, 422, "SOURCE_INVALID"],
    ["a repository by ssh", "w", { kind: "git", repository: "ssh://127.0.0.1/x" }, 422, "SOURCE_INVALID"],
  ];
  test.for(cases)("%s is refused", async ([, id, source, status, code]) => {
    await refused(post("/v1/workspaces", JSON.stringify({ workspaceId: id, source })), status, code);
    expect((await raw({ method: "GET", path: workspacePath("w") })).status).toBe(404);
  });
});

test("none of this was a failure of the host's own", () => {
  expect(host.stderr()).not.toContain("request failed");
});
