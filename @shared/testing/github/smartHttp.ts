import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { GIT_ENVIRONMENT } from "./git.ts";
import type { Principal, World } from "./world.ts";

const PATH = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;

export const isGitPath = (pathname: string): boolean => PATH.test(pathname);

/** The token of `Authorization: Basic`, whose user name GitHub does not look at. */
export function basicToken(header: string | undefined): string | null {
  const encoded = /^basic\s+(\S+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return null;
  const [, password = ""] = /^[^:]*:([\s\S]*)$/.exec(Buffer.from(encoded, "base64").toString("utf8")) ?? [];
  return password;
}

/** Git's own server for smart HTTP behind GitHub's rules of access: what is pushed is really pushed. */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  options: { world: World; principal: Principal | null; url: URL; lose: boolean },
): Promise<void> {
  const { world, principal, url } = options;
  const [, owner = "", name = "", service = ""] = PATH.exec(decodeURIComponent(url.pathname)) ?? [];
  const refuse = (status: number, text: string, headers: Record<string, string> = {}): void => {
    request.resume();
    response.writeHead(status, { "content-type": "text/plain", ...headers }).end(text);
  };
  const repository = world.repository(owner, name);
  const may = repository === undefined ? null : world.permissionsIn(principal, repository);
  const writes = service === "git-receive-pack" || url.searchParams.get("service") === "git-receive-pack";
  const ask = { "www-authenticate": 'Basic realm="GitHub"' };
  if (principal === null && (may === null || writes)) return refuse(401, "No anonymous write access.\n", ask);
  if (repository === undefined || may === null) return refuse(404, "Repository not found.\n");
  if (writes ? may.contents !== "write" : may.contents === undefined) {
    return refuse(403, `Permission to ${owner}/${name}.git denied to ${principal?.login ?? "nobody"}.\n`);
  }

  const { headers } = request;
  const child = spawn("git", ["http-backend"], {
    env: {
      ...GIT_ENVIRONMENT,
      GIT_PROJECT_ROOT: repository.path,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: `/${service}`,
      REQUEST_METHOD: request.method ?? "GET",
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: headers["content-type"] ?? "",
      REMOTE_USER: principal?.login ?? "",
      REMOTE_ADDR: "127.0.0.1",
      ...(headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: headers["content-length"] }),
      ...(headers["content-encoding"] === undefined ? {} : { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
      ...(typeof headers["git-protocol"] === "string" ? { GIT_PROTOCOL: headers["git-protocol"] } : {}),
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A git that has read enough closes its end first.
  child.stdin.on("error", () => undefined);
  child.stderr.resume();
  request.pipe(child.stdin);
  await new Promise<void>((resolve) => {
    let head = Buffer.alloc(0);
    let started = false;
    child.stdout.on("data", (chunk: Buffer) => {
      if (options.lose) return;
      if (started) {
        response.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) return;
      started = true;
      let status = 200;
      for (const line of head.subarray(0, end).toString("latin1").split("\r\n")) {
        const [key = "", value = ""] = line.split(/:\s*/, 2);
        if (key.toLowerCase() === "status") status = Number.parseInt(value, 10);
        else response.setHeader(key, value);
      }
      response.writeHead(status);
      response.write(head.subarray(end + 4));
    });
    child.once("close", () => {
      if (options.lose) {
        response.destroy();
        resolve();
        return;
      }
      if (!started) response.writeHead(500);
      response.end();
      resolve();
    });
  });
}
