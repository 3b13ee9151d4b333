import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { deferred, type Deferred } from "./deferred.ts";
import { chat } from "./model-server/chat.ts";
import { gemini } from "./model-server/gemini.ts";
import { messages } from "./model-server/messages.ts";
import type { Answer, Protocol, Read, Refusal } from "./model-server/protocol.ts";
import { responses } from "./model-server/responses.ts";
import { isToolStep, toolCallsOf } from "./model-server/toolCalls.ts";
import { MODEL_CONTROL_PATH, ModelCommandSchema, type ModelRequest, type ScriptStep } from "./modelControl.ts";

/** The steps in order, the last one again and again; or what the function says of each request. */
export type ModelScript =
  | readonly ScriptStep[]
  | ((request: Omit<ModelRequest, "step" | "status">) => ScriptStep | Promise<ScriptStep>);

export interface ModelServer {
  /** Without a slash at its end. OpenAI's paths stand under `/v1`, Anthropic's and Gemini's where the real ones do. */
  readonly url: string;
  /** The key that `start` was given or made; another is refused as the vendor refuses it. */
  readonly apiKey: string;
  /** Every request for the model, in order, keys redacted. */
  readonly requests: readonly ModelRequest[];
  /** Paths that no API here has, answered with 404: what a new version of a client asks for. */
  readonly unknown: readonly string[];
  /** Takes a further key, whose requests follow a script of their own. */
  accept(key: string, script: ModelScript): void;
  /** Settles when a slow answer has begun. */
  begun(key?: string): Promise<void>;
  /** Settles when a client has hung up on a slow answer. */
  left(key?: string): Promise<void>;
  /** Lets slow answers go on, now and later. */
  release(key?: string): void;
  stop(): Promise<void>;
}

export interface ModelServerOptions {
  script?: ModelScript;
  apiKey?: string;
}

interface Account {
  script: ModelScript;
  /** How many steps were answered. */
  at: number;
  begun: Deferred<void>;
  left: Deferred<void>;
  gate: Deferred<void>;
}

const PROTOCOLS: readonly Protocol[] = [responses, messages, gemini, chat];
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** What every answer is said to have cost. */
export const ANSWER_USAGE = { input: 1200, output: 34 } as const;

/**
 * A server on the loopback interface that speaks the model APIs of OpenAI (Responses and Chat Completions), Anthropic
 * and Google, and answers by script instead of by model. It insists on what the real ones insist on: the key in its
 * header, a body of the right shape. The small calls clients make on the side (lists of models, counts of tokens) are
 * answered; what is unknown is a 404.
 */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const apiKey = options.apiKey ?? `test-key-${randomBytes(16).toString("hex")}`;
  const accounts = new Map<string, Account>();
  const requests: (ModelRequest & { key: string })[] = [];
  const unknown: string[] = [];
  let minted = 0;
  const mint = (): string => String(++minted).padStart(8, "0");

  const accept = (key: string, script: ModelScript): void => {
    accounts.get(key)?.gate.resolve();
    accounts.set(key, { script, at: 0, begun: deferred(), left: deferred(), gate: deferred() });
  };
  accept(apiKey, options.script ?? [{ kind: "text", text: "Done." }]);

  const accountOf = (key: string): Account => {
    const account = accounts.get(key);
    if (!account) throw new Error("no script was given for this key");
    return account;
  };

  const serve = async (incoming: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
    const url = new URL(incoming.url ?? "/", "http://localhost");
    if (url.pathname === MODEL_CONTROL_PATH) return control(response, body);
    const found = findProtocol(incoming.method ?? "GET", url.pathname);
    if (!found) return sideCall(incoming, response, url);
    const { protocol, matched } = found;
    const refuse = (refusal: Refusal): number => {
      const { status, headers, body: refused } = protocol.refusal(refusal);
      reply(response, status, refused, headers);
      return status;
    };
    const key = protocol.keyOf(incoming.headers, url);
    const account = key === null ? undefined : accounts.get(key);
    if (key === null || !account) {
      refuse({ kind: "bad-key" });
      return;
    }
    const parsed = parseJson(body);
    const read = protocol.read(parsed, matched);
    if ("error" in read) {
      refuse({ kind: "status", status: 400, message: read.error });
      return;
    }
    if (matched.counts) return reply(response, 200, { input_tokens: 1, totalTokens: 1 });

    const request: ModelRequest & { key: string } = {
      n: requests.length + 1,
      protocol: protocol.name,
      method: incoming.method ?? "GET",
      path: without(`${url.pathname}${url.search}`, key),
      headers: Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, without(String(value), key)]),
      ),
      model: read.model,
      stream: read.stream,
      tools: read.tools.map(({ name }) => name),
      body: JSON.parse(without(JSON.stringify(parsed), key)),
      step: null,
      status: null,
      key,
    };
    // Not to be printed along with the request.
    Object.defineProperty(request, "key", { enumerable: false });
    requests.push(request);

    const step = await nextStep(account, request);
    request.step = step;
    if (step === null) {
      request.status = 200;
      return write(response, protocol, read, answerOf(read, "Yes."), account, null);
    }
    if (step.kind === "rate-limit") {
      request.status = refuse({ kind: "rate-limit", retryAfterSeconds: step.retryAfterSeconds ?? null });
      return;
    }
    if (step.kind === "quota") {
      request.status = refuse({ kind: "quota" });
      return;
    }
    if (step.kind === "status") {
      const { status, message = `scripted ${step.status}` } = step;
      request.status = refuse({ kind: "status", status, message });
      return;
    }
    request.status = 200;
    await write(response, protocol, read, stepAnswer(step, read), account, step);
  };

  /** Null: a side call, like one that names the conversation: it has none of the tools that the step wants. */
  const nextStep = async (account: Account, request: ModelRequest): Promise<ScriptStep | null> => {
    if (typeof account.script === "function") return account.script(request);
    const step = account.script[Math.min(account.at, account.script.length - 1)];
    if (!step) return null;
    if (isToolStep(step) && request.tools.length === 0) return null;
    account.at += 1;
    return step;
  };

  const answerOf = (read: Read, text: string | null): Answer => ({
    id: mint(),
    model: read.model,
    text,
    calls: [],
    usage: { ...ANSWER_USAGE },
  });
  const stepAnswer = (step: Exclude<ScriptStep, { kind: "rate-limit" | "quota" | "status" }>, read: Read): Answer => {
    if (step.kind === "empty") return answerOf(read, null);
    if (!isToolStep(step)) return answerOf(read, step.text);
    const calls = toolCallsOf(step, read.tools, directoryIn(read.text), mint);
    // A test whose client has other tools than this server knows must say so, not pass.
    return calls
      ? { ...answerOf(read, null), calls }
      : answerOf(read, `No tool for ${step.kind} among ${read.tools.map(({ name }) => name).join(", ")}.`);
  };

  const write = async (
    response: ServerResponse,
    protocol: Protocol,
    read: Read,
    answer: Answer,
    account: Account,
    step: ScriptStep | null,
  ): Promise<void> => {
    const waits = step?.kind === "slow";
    // Ended, not destroyed: what was written reaches the client before the connection breaks.
    const breaks = step?.kind === "cut";
    const wait = async (): Promise<void> => {
      response.once("close", () => account.left.resolve());
      account.begun.resolve();
      await account.gate.promise;
    };
    if (!read.stream) {
      const text = JSON.stringify(protocol.json(answer));
      const middle = Math.ceil(text.length / 2);
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      response.write(text.slice(0, middle));
      if (waits) await wait();
      if (breaks) {
        response.socket?.end();
        return;
      }
      response.end(text.slice(middle));
      return;
    }
    const { events, from } = protocol.events(answer);
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.flushHeaders();
    for (const event of events.slice(0, from)) response.write(event);
    if (waits) await wait();
    if (breaks) {
      response.socket?.end();
      return;
    }
    for (const event of events.slice(from)) response.write(event);
    response.end();
  };

  const sideCall = (incoming: IncomingMessage, response: ServerResponse, url: URL): void => {
    if (incoming.method === "HEAD") {
      response.writeHead(200).end();
      return;
    }
    if (incoming.method === "GET" && url.pathname.endsWith("/models")) {
      const key = PROTOCOLS.map((protocol) => protocol.keyOf(incoming.headers, url)).find((found) => found !== null);
      if (key === undefined || key === null || !accounts.has(key)) {
        return reply(response, 401, {
          error: { message: "Incorrect API key provided.", type: "invalid_request_error" },
        });
      }
      return reply(response, 200, { object: "list", data: [], models: [], has_more: false });
    }
    unknown.push(`${incoming.method} ${url.pathname}`);
    reply(response, 404, { error: { message: "Not found", type: "invalid_request_error", code: 404 } });
  };

  const control = async (response: ServerResponse, body: Buffer): Promise<void> => {
    const parsed = ModelCommandSchema.safeParse(parseJson(body));
    if (!parsed.success) return reply(response, 400, { error: parsed.error.message });
    const command = parsed.data;
    if (command.action === "script") {
      accept(command.key, command.steps);
      return reply(response, 200, {});
    }
    if (command.action === "requests") {
      return reply(response, 200, { requests: requests.filter(({ key }) => key === command.key) });
    }
    const account = accounts.get(command.key);
    if (!account) return reply(response, 404, { error: "no script was given for this key" });
    if (command.action === "release") account.gate.resolve();
    else await account[command.action].promise;
    reply(response, 200, {});
  };

  const server = createServer((incoming, response) => {
    buffer(limited(incoming))
      .then((body) => serve(incoming, response, body))
      .catch((error: unknown) => {
        // A script that throws, or a body past the bound: the client must not hang on it.
        if (response.headersSent) response.destroy();
        else reply(response, 500, { error: { message: String(error), type: "server_error", code: 500 } });
      });
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the model server has no port");

  return {
    url: `http://127.0.0.1:${address.port}`,
    apiKey,
    requests,
    unknown,
    accept,
    begun: (key = apiKey) => accountOf(key).begun.promise,
    left: (key = apiKey) => accountOf(key).left.promise,
    release: (key = apiKey) => accountOf(key).gate.resolve(),
    stop: () =>
      new Promise((resolve) => {
        for (const account of accounts.values()) account.gate.resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function findProtocol(method: string, path: string) {
  for (const protocol of PROTOCOLS) {
    const matched = protocol.match(method, path);
    if (matched) return { protocol, matched };
  }
  return null;
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

async function* limited(incoming: IncomingMessage): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) throw new Error("a request's body comes as bytes");
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`a request has at most ${MAX_BODY_BYTES} bytes`);
    yield chunk;
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

const without = (text: string, key: string): string => text.replaceAll(key, "[key]");

/** The directory the client says it works in. */
const directoryIn = (text: string): string | null =>
  /(?:working directory|<cwd>)[^/\n"]{0,12}(\/[^\s"<\\`]+)/i.exec(text)?.[1] ?? null;
