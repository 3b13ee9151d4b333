import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { deferred, type Deferred } from "./deferred.ts";
import {
  JULES_CONTROL_PATH,
  JulesCommandSchema,
  type JulesRequest,
  type JulesScript,
  JulesScriptSchema,
  type JULES_CALLS,
} from "./julesControl.ts";

export interface JulesServer {
  /** With the version: `http://127.0.0.1:PORT/v1alpha`. */
  readonly url: string;
  readonly apiKey: string;
  /** Opens an account under a further key; under one there is, it begins anew. */
  account(key: string, script: JulesScript): void;
  requests(key?: string): readonly JulesRequest[];
  sessions(key?: string): readonly Session[];
  /** Settles when a held call has come. */
  held(key?: string): Promise<void>;
  /** Lets held calls go on, now and later. */
  release(key?: string): void;
  stop(): Promise<void>;
}

type CallName = (typeof JULES_CALLS)[number];
type Script = z.output<typeof JulesScriptSchema>;

interface Session {
  name: string;
  id: string;
  title: string;
  prompt: string;
  requirePlanApproval: boolean;
  sourceContext: unknown;
  createTime: string;
  /** Where in the script it is. */
  at: number;
  missing: number;
  messages: string[];
  /** Where in the script each was said. */
  saidAt: number[];
}
interface Account {
  script: Script;
  faults: (Script["faults"][number] & { left: number; spared: number })[];
  sessions: Session[];
  requests: JulesRequest[];
  held: Deferred<void>;
  gate: Deferred<void>;
}

const WAITS = new Set(["AWAITING_PLAN_APPROVAL", "AWAITING_USER_FEEDBACK"]);
const HUGE_BYTES = 64 * 1024 * 1024;

const CreateSchema = z.strictObject({
  prompt: z.string().min(1),
  title: z.string().optional(),
  sourceContext: z.strictObject({
    source: z.string(),
    githubRepoContext: z.strictObject({ startingBranch: z.string().min(1) }),
  }),
  requirePlanApproval: z.boolean().optional(),
  automationMode: z.enum(["AUTOMATION_MODE_UNSPECIFIED", "AUTO_CREATE_PR"]).optional(),
});
const MessageSchema = z.strictObject({ prompt: z.string().min(1) });

class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
const STATUSES: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};
const refuse = (status: number, message: string): never => {
  throw new Refused(status, message);
};

/**
 * A server on the loopback interface that speaks Jules' API v1alpha and follows a script instead of writing code. It
 * insists on the key in `X-Goog-Api-Key`, on sources it has listed, and on bodies of the API's shape.
 */
export async function startJulesServer(script: JulesScript = {}): Promise<JulesServer> {
  const apiKey = `test-jules-${randomBytes(16).toString("hex")}`;
  const accounts = new Map<string, Account>();
  let minted = 0;

  const open = (key: string, given: JulesScript): void => {
    accounts.get(key)?.gate.resolve();
    const parsed = JulesScriptSchema.parse(given);
    accounts.set(key, {
      script: parsed,
      faults: parsed.faults.map((fault) => ({ ...fault, left: fault.times, spared: fault.after })),
      sessions: [],
      requests: [],
      held: deferred(),
      gate: deferred(),
    });
  };
  open(apiKey, script);
  const accountOf = (key: string): Account => {
    const account = accounts.get(key);
    if (!account) throw new Error("no account has this key");
    return account;
  };

  const create = (account: Account, body: unknown) => {
    const parsed = CreateSchema.safeParse(body);
    if (!parsed.success) return refuse(400, z.prettifyError(parsed.error));
    const { source, githubRepoContext } = parsed.data.sourceContext;
    const found = account.script.sources.find((one) => nameOf(one) === source);
    if (!found) return refuse(404, `Source ${source} not found.`);
    if (!found.branches.includes(githubRepoContext.startingBranch)) return refuse(400, "Branch not found.");
    const id = String(9_000_000 + ++minted);
    const session: Session = {
      name: `sessions/${id}`,
      id,
      title: parsed.data.title ?? "Untitled",
      prompt: parsed.data.prompt,
      requirePlanApproval: parsed.data.requirePlanApproval ?? false,
      sourceContext: parsed.data.sourceContext,
      createTime: "2026-11-01T10:00:00Z",
      at: 0,
      missing: account.script.activitiesMissing,
      messages: [],
      saidAt: [],
    };
    account.sessions.unshift(session);
    return shown(account, session);
  };

  const perform = (account: Account, call: CallName, id: string, url: URL, body: unknown): unknown => {
    const page = (name: string, items: readonly unknown[]) => paged(name, items, url, account.script.pageSize);
    if (call === "listSources") return page("sources", account.script.sources.map(sourceOf));
    if (call === "createSession") return create(account, body);
    if (call === "listSessions")
      return page(
        "sessions",
        account.sessions.map((one) => shown(account, one)),
      );
    const session = account.sessions.find((one) => one.id === id);
    if (!session) return refuse(404, "Requested entity was not found.");
    const state = account.script.steps[session.at]?.state ?? "";
    const isLast = session.at === account.script.steps.length - 1;
    if (call === "getSession") {
      const answer = shown(account, session);
      if (!WAITS.has(state) && !isLast) session.at += 1;
      return answer;
    }
    if (call === "listActivities") {
      if (session.missing > 0) {
        session.missing -= 1;
        return refuse(404, "Requested entity was not found.");
      }
      return page("activities", activitiesOf(account, session));
    }
    if (call === "approvePlan") {
      if (state !== "AWAITING_PLAN_APPROVAL") return refuse(400, "The session does not wait for an approval.");
      if (!isLast) session.at += 1;
      return {};
    }
    const parsed = MessageSchema.safeParse(body);
    if (!parsed.success) return refuse(400, z.prettifyError(parsed.error));
    session.messages.push(parsed.data.prompt);
    session.saidAt.push(session.at);
    if (WAITS.has(state) && !isLast) session.at += 1;
    return {};
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse, raw: Buffer): Promise<void> => {
    const url = new URL(incoming.url ?? "/", "http://localhost");
    if (url.pathname === JULES_CONTROL_PATH) return control(response, raw);
    const key = incoming.headers["x-goog-api-key"];
    const account = typeof key === "string" ? accounts.get(key) : undefined;
    if (!account) return problem(response, 401, "API keys are not supported by this API or the key is not valid.");
    const known = callOf(incoming.method ?? "GET", url.pathname);
    if (!known) return problem(response, 404, "Not found.");
    const { call, id } = known;
    const body = raw.length === 0 ? null : parseJson(raw);
    const request: JulesRequest = {
      call,
      method: incoming.method ?? "GET",
      path: `${url.pathname}${url.search}`,
      body,
      status: null,
    };
    account.requests.push(request);
    const set = account.faults.find((one) => one.call === call && one.left > 0);
    const fault = set && set.spared === 0 ? set : undefined;
    if (fault) fault.left -= 1;
    else if (set) set.spared -= 1;
    if (fault?.kind === "hold") {
      account.held.resolve();
      await account.gate.promise;
    }
    if (typeof fault?.kind === "number") {
      request.status = fault.kind;
      const { kind, message = `scripted ${kind}`, retryAfterSeconds } = fault;
      const headers: Record<string, string> =
        retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
      return problem(response, kind, message, headers);
    }
    try {
      const answer = perform(account, call, id, url, body);
      if (fault?.kind === "lost") {
        response.destroy();
        return;
      }
      request.status = 200;
      if (fault?.kind === "nonsense") return void response.writeHead(200).end("<html>nonsense</html>");
      reply(response, 200, fault?.kind === "huge" ? { filler: "x".repeat(HUGE_BYTES) } : answer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      request.status = error.status;
      problem(response, error.status, error.message);
    }
  };

  const control = async (response: ServerResponse, raw: Buffer): Promise<void> => {
    const parsed = JulesCommandSchema.safeParse(parseJson(raw));
    if (!parsed.success) return reply(response, 400, { error: parsed.error.message });
    const command = parsed.data;
    if (command.action === "account") {
      open(command.key, command.script);
      return reply(response, 200, {});
    }
    const account = accounts.get(command.key);
    if (!account) return reply(response, 404, { error: "no account has this key" });
    if (command.action === "requests") return reply(response, 200, { requests: account.requests });
    if (command.action === "sessions") return reply(response, 200, { sessions: account.sessions });
    if (command.action === "held") await account.held.promise;
    else account.gate.resolve();
    reply(response, 200, {});
  };

  const server = createServer((incoming, response) => {
    buffer(incoming)
      .then((body) => serve(incoming, response, body))
      .catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else problem(response, 500, String(error));
      });
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the Jules server has no port");

  return {
    url: `http://127.0.0.1:${address.port}/v1alpha`,
    apiKey,
    account: open,
    requests: (key = apiKey) => accountOf(key).requests,
    sessions: (key = apiKey) => accountOf(key).sessions,
    held: (key = apiKey) => accountOf(key).held.promise,
    release: (key = apiKey) => accountOf(key).gate.resolve(),
    stop: () =>
      new Promise((resolve) => {
        for (const account of accounts.values()) account.gate.resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Source = Script["sources"][number];
const nameOf = ({ owner, repo }: Source): string => `sources/github/${owner}/${repo}`;
const sourceOf = (source: Source) => ({
  name: nameOf(source),
  id: `github/${source.owner}/${source.repo}`,
  githubRepo: {
    owner: source.owner,
    repo: source.repo,
    isPrivate: true,
    defaultBranch: { displayName: source.branches[0] },
    branches: source.branches.map((displayName) => ({ displayName })),
  },
});

function shown(account: Account, session: Session) {
  const { at, missing: _missing, messages: _messages, saidAt: _saidAt, ...rest } = session;
  const step = account.script.steps[at];
  return {
    ...rest,
    state: step?.state ?? "STATE_UNSPECIFIED",
    url: `https://jules.google.com/session/${session.id}`,
    updateTime: session.createTime,
    ...(step && step.outputs.length > 0 ? { outputs: step.outputs } : {}),
  };
}

const activitiesOf = (account: Account, session: Session) =>
  account.script.steps
    .slice(0, session.at + 1)
    .flatMap(({ activities }, at) => [
      ...activities,
      ...session.messages
        .filter((_, n) => session.saidAt[n] === at)
        .map((userMessage) => ({ originator: "user", userMessaged: { userMessage } })),
    ])
    .map((activity, index) => ({
      name: `${session.name}/activities/${index + 1}`,
      id: String(index + 1),
      createTime: session.createTime,
      originator: "agent",
      ...activity,
    }));

/** A page of at most as many as were asked for and as the server gives; the token says where the next begins. */
function paged(name: string, items: readonly unknown[], url: URL, most: number) {
  const from = Number(url.searchParams.get("pageToken") ?? 0);
  const size = Math.min(Number(url.searchParams.get("pageSize") ?? 30), most);
  if (!Number.isInteger(from) || !Number.isInteger(size) || size < 1) return refuse(400, "Invalid page.");
  const rest = from + size < items.length ? { nextPageToken: String(from + size) } : {};
  return { ...(items.length > 0 ? { [name]: items.slice(from, from + size) } : {}), ...rest };
}

function callOf(method: string, path: string): { call: CallName; id: string } | null {
  const [, rest = ""] = /^\/v1alpha\/(.+)$/.exec(path) ?? [];
  if (method === "GET" && rest === "sources") return { call: "listSources", id: "" };
  if (rest === "sessions") return { call: method === "POST" ? "createSession" : "listSessions", id: "" };
  const [, id = "", verb = ""] = /^sessions\/(\w+)((?::|\/)\w+)?$/.exec(rest) ?? [];
  if (id === "") return null;
  if (method === "GET" && verb === "") return { call: "getSession", id };
  if (method === "GET" && verb === "/activities") return { call: "listActivities", id };
  if (method === "POST" && verb === ":approvePlan") return { call: "approvePlan", id };
  if (method === "POST" && verb === ":sendMessage") return { call: "sendMessage", id };
  return null;
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
const problem = (
  response: ServerResponse,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void =>
  reply(response, status, { error: { code: status, message, status: STATUSES[status] ?? "UNKNOWN" } }, headers);

function parseJson(body: Buffer): z.output<ReturnType<typeof z.json>> {
  try {
    return z.json().parse(JSON.parse(body.toString("utf8")));
  } catch {
    return null;
  }
}
