import { type Problem, ProblemSchema } from "@shared/contracts";
import { type GithubCommand, steerGithub } from "@shared/testing/githubControl";
import { env } from "cloudflare:workers";
import { inject, vi } from "vitest";
import { type AppBindings, createGithubApp } from "../worker/app.ts";
import type { Pace } from "../worker/github/RateLimits.ts";

const github = inject("github");
export const steer = (command: GithubCommand, at = github) => steerGithub(at, command);

let minted = 0;
const mint = (what: string): string => `${what}-${(minted += 1)}-${crypto.randomUUID().slice(0, 8)}`;

/** A repository of one's own, and a proxy that may reach it with a token of one's own, on a clock of one's own. */
export async function aProxy(
  options: {
    pace?: Partial<Pace>;
    app?: boolean;
    env?: Partial<AppBindings>;
    files?: Record<string, string> | null;
    /** The GitHub it speaks to. */
    at?: string;
  } = {},
) {
  const { at: server = github } = options;
  const steerHere = (command: GithubCommand) => steerGithub(server, command);
  const repository = `${mint("o")}/site`;
  const { sha = "" } = await steerHere({
    action: "addRepository",
    repository,
    ...(options.files === undefined ? {} : { files: options.files }),
  });
  const { token = "" } = await steerHere({ action: "addToken", repositories: [repository] });
  const { app } = options.app === true ? await steerHere({ action: "addApp", repositories: [repository] }) : {};
  const slept: number[] = [];
  let offset = 0;
  const clock = {
    now: () => Date.now() + offset,
    sleep: async (ms: number) => {
      slept.push(ms);
      offset += ms;
    },
    advance: (ms: number) => {
      offset += ms;
    },
  };
  const pace = { maxWaitMs: 5_000, writeGapMs: 0, concurrent: 10, attemptMs: 10_000, ...options.pace };
  const proxy = createGithubApp({ clock, pace });
  const bindings: AppBindings = {
    ...env,
    CALLER: "orchestrator",
    GITHUB_API_URL: server,
    GITHUB_GIT_URL: server,
    GITHUB_REPOSITORIES: repository,
    ...(app
      ? {
          GITHUB_APP_ID: app.appId,
          GITHUB_INSTALLATION_ID: app.installationId,
          GITHUB_APP_PRIVATE_KEY: app.privateKey.replaceAll("\n", String.raw`\n`),
        }
      : { GITHUB_TOKEN: token }),
    ...options.env,
  };
  const logged: string[] = [];
  for (const level of ["debug", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line: unknown) => void logged.push(String(line)));
  }
  const call = async (path: string, body?: unknown, method = body === undefined ? "GET" : "POST") => {
    const response = await proxy.fetch(
      new Request(`https://core-github-api${path}`, {
        method,
        ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      }),
      bindings,
    );
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const parsed: unknown = isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: parsed, text };
  };
  /** An address of the repository. */
  const at = (rest: string) => `/v1/repo/${encodeURIComponent(repository)}${rest}`;
  const seen = async (part = `/repos/${repository}`) => (await steerHere({ action: "seen", path: part })).seen ?? [];
  return { repository, token, sha, app, call, at, seen, clock, slept, bindings, logged };
}

/** A refusal's document; it shows nothing of the inside. */
export function problemOf(answer: { headers: Headers; body: unknown; text: string }): Problem {
  if (/\n\s+at |node_modules|\.ts:\d|ghp_|ghs_|PRIVATE KEY/.test(answer.text))
    throw new Error(`shows internals: ${answer.text}`);
  if (!answer.headers.get("content-type")?.startsWith("application/problem+json")) throw new Error(answer.text);
  return ProblemSchema.parse(answer.body);
}
