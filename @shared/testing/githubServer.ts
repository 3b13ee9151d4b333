import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { ACTION_ROUTES, archiveOf } from "./github/actionRoutes.ts";
import { appOf, installationToken } from "./github/apps.ts";
import type { Answer, Call, Handler } from "./github/call.ts";
import { CODE_ROUTES } from "./github/codeRoutes.ts";
import { controller } from "./github/controller.ts";
import { Faults } from "./github/Faults.ts";
import { ISSUE_ROUTES } from "./github/issueRoutes.ts";
import { Limits, secondaryLimit, type Resource } from "./github/limits.ts";
import { basicToken, isGitPath, serveGit } from "./github/smartHttp.ts";
import { notFound, Refusal, sha256, World, type Principal } from "./github/world.ts";
import {
  GITHUB_CONTROL_PATH,
  GithubCommandSchema,
  type GithubCommand,
  type GithubReply,
  type SeenGithubRequest,
} from "./githubControl.ts";

/**
 * A GitHub of one's own on the loopback interface: its REST API as far as this house uses it, held to the real one's
 * shapes and limits (tokens and Apps, ETags, rate limits, paging, validation), and git over smart HTTP, served by git
 * itself from bare repositories. Faults are scripted. Rules and texts: docs.github.com/rest.
 */
export interface GithubServer {
  /** The address of the API, and of git: `<url>/<owner>/<name>.git`. */
  readonly url: string;
  readonly seen: readonly SeenGithubRequest[];
  run(command: GithubCommand): Promise<GithubReply>;
  stop(): Promise<void>;
}

const ROUTES: readonly [string, RegExp, Handler][] = [...ISSUE_ROUTES, ...CODE_ROUTES, ...ACTION_ROUTES];
const API_VERSIONS = ["2022-11-28", "2026-03-10"];
let requests = 0;

export async function startGithubServer(): Promise<GithubServer> {
  const directory = await mkdtemp(join(tmpdir(), "local-github-"));
  const world = new World();
  const limits = new Limits(world);
  const faults = new Faults();
  const seen: SeenGithubRequest[] = [];
  const run = controller({ world, limits, faults, seen, directory });
  let base = "";

  const answerApi = async (request: IncomingMessage, url: URL, record: SeenGithubRequest): Promise<Answer> => {
    const token = bearerToken(request);
    record.token = token;
    if ((request.headers["user-agent"] ?? "") === "") {
      throw new Refusal(
        403,
        "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
      );
    }
    const version = request.headers["x-github-api-version"];
    if (version !== undefined && !API_VERSIONS.includes(String(version))) {
      throw new Refusal(400, `The API version ${String(version)} is not supported.`);
    }
    const method = request.method ?? "GET";
    const minting = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(url.pathname);
    if (minting) {
      if (method !== "POST") throw notFound();
      const app = await appOf(world, token ?? "");
      return { status: 201, body: installationToken(world, app, Number(minting[1]), await readBody(request)) };
    }
    const principal = principalOf(token);
    const resource: Resource = url.pathname.startsWith("/search/") ? "search" : "core";
    try {
      limits.count(principal, resource);
      limits.enter(principal);
      try {
        return await carryOut(request, { url, method, principal, resource });
      } finally {
        limits.leave(principal);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return {
        status: error.status,
        body: error.body,
        headers: { ...limits.headers(principal, resource), ...error.headers },
      };
    }
  };

  const carryOut = async (
    request: IncomingMessage,
    options: { url: URL; method: string; principal: Principal | null; resource: Resource },
  ): Promise<Answer> => {
    const { url, method, principal, resource } = options;
    if (method === "POST" && principal !== null) limits.makesContent(principal);
    for (const [routed, pattern, handler] of ROUTES) {
      const match = routed === method ? pattern.exec(url.pathname) : null;
      if (!match) continue;
      const accept = request.headers.accept ?? "*/*";
      const call: Call = {
        world,
        base,
        method,
        path: url.pathname,
        params: match.slice(1).map((part) => decodeURIComponent(part)),
        query: url.searchParams,
        accept,
        body: method === "GET" ? {} : await readBody(request),
        principal,
        scratch: () => join(directory, `index-${world.id()}`),
      };
      if (method !== "GET" && principal === null) throw new Refusal(401, "Requires authentication");
      const answer = await handler(call);
      if (method !== "GET")
        return { ...answer, headers: { ...limits.headers(principal, resource), ...answer.headers } };
      // As GitHub's do, a tag speaks for one credential.
      const tag = `W/"${sha256(`${principal?.token ?? ""}${accept}${answer.text ?? JSON.stringify(answer.body)}`)}"`;
      const headers = { etag: tag, vary: "Accept, Authorization, Cookie, X-GitHub-OTP", ...answer.headers };
      if (request.headers["if-none-match"] === tag) {
        limits.uncount(principal, resource);
        return { status: 304, headers: { ...limits.headers(principal, resource), etag: tag } };
      }
      return { ...answer, headers: { ...limits.headers(principal, resource), ...headers } };
    }
    throw notFound();
  };

  function principalOf(token: string | null): Principal | null {
    if (token === null) return null;
    const principal = world.tokens.get(token);
    if (!principal || (principal.expiresAt !== null && principal.expiresAt <= world.now())) {
      throw new Refusal(401, "Bad credentials");
    }
    return principal;
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", base);
    if (url.pathname === GITHUB_CONTROL_PATH) {
      const parsed = GithubCommandSchema.safeParse(JSON.parse((await buffer(request)).toString("utf8")));
      if (!parsed.success) return send(response, { status: 400, text: parsed.error.message });
      return send(response, { status: 200, body: await run(parsed.data) });
    }
    const record: SeenGithubRequest = {
      method: request.method ?? "GET",
      path: `${url.pathname}${url.search}`,
      status: null,
      token: null,
      ifNoneMatch: request.headers["if-none-match"] ?? null,
    };
    seen.push(record);
    const rule = faults.take(record);
    const { fault } = rule ?? {};
    if (fault?.kind === "reset") {
      request.destroy();
      return;
    }
    if (fault?.kind === "hold") await rule?.released;
    if (url.pathname.startsWith("/__logs/") && fault === undefined) {
      const archive = archiveOf(world, url.pathname);
      record.status = archive === null ? 403 : 200;
      response.writeHead(record.status, { "content-type": "application/zip" }).end(archive ?? "");
      return;
    }
    let answer: Answer;
    if (fault?.kind === "status") {
      const { status, message, headers, text } = fault;
      const refusal = new Refusal(status, message);
      answer = {
        status,
        headers,
        ...(text === undefined ? { body: refusal.body } : { text, type: "text/html" }),
      };
    } else if (fault?.kind === "secondary") {
      const refusal = secondaryLimit(fault.retryAfterSeconds);
      answer = { status: 403, body: refusal.body, headers: refusal.headers };
    } else if (fault?.kind === "redirect") {
      answer = { status: 301, body: { message: "Moved Permanently", url: fault.to }, headers: { location: fault.to } };
    } else if (isGitPath(url.pathname)) {
      record.token = basicToken(request.headers.authorization);
      const principal = record.token === null ? null : (world.tokens.get(record.token) ?? null);
      if (record.token !== null && principal === null) {
        answer = { status: 401, text: "Bad credentials\n", headers: { "www-authenticate": 'Basic realm="GitHub"' } };
      } else {
        await serveGit(request, response, { world, principal, url, lose: fault?.kind === "lose" });
        record.status = response.statusCode;
        return;
      }
    } else {
      try {
        answer = await answerApi(request, url, record);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        answer = { status: error.status, body: error.body, headers: error.headers };
      }
    }
    record.status = answer.status;
    if (fault?.kind === "lose") {
      response.destroy();
      return;
    }
    send(response, answer);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A fault of this server must fail the test that met it.
      send(response, { status: 500, text: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    });
  });
  // Tests hold requests for as long as they like.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the GitHub server has no port");
  base = `http://127.0.0.1:${address.port}`;

  return {
    url: base,
    seen,
    run: async (command) => run(GithubCommandSchema.parse(command)),
    stop: async () => {
      faults.releaseAll();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function send(response: ServerResponse, answer: Answer): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  requests += 1;
  const headers = { "x-github-request-id": `LOCAL:${requests}`, ...answer.headers };
  if (answer.status === 304) {
    response.writeHead(304, headers).end();
    return;
  }
  const text = answer.text ?? JSON.stringify(answer.body);
  const type =
    answer.text === undefined ? "application/json; charset=utf-8" : (answer.type ?? "text/plain; charset=utf-8");
  response
    .writeHead(answer.status, { "content-type": type, "content-length": Buffer.byteLength(text), ...headers })
    .end(text);
}

function bearerToken(request: IncomingMessage): string | null {
  const header = request.headers.authorization;
  return header === undefined ? null : (/^(?:bearer|token)\s+(\S+)$/i.exec(header)?.[1] ?? "");
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = (await buffer(request)).toString("utf8");
  if (text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, "Problems parsing JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal(400, "Body should be a JSON object");
  }
  return { ...value };
}
