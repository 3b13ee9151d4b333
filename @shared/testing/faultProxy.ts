import { createServer, request as sendRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { deferred, type Deferred } from "./deferred.ts";
import { FAULT_CONTROL_PATH, FaultCommandSchema } from "./faultControl.ts";
import type { FaultKind, RequestMatch, SeenRequest } from "./faultControl.ts";

/** A fault that is set: its promises settle with the first request it is for. */
export interface Fault {
  readonly id: string;
  /** The request has come; a held one waits from here on. */
  readonly arrived: Promise<SeenRequest>;
  /** The target has answered (a duplicated request: for the first time). Never settles for a refused one. */
  readonly applied: Promise<SeenRequest>;
  /** The fault has run its course for that request: answered, dropped or refused. */
  readonly done: Promise<SeenRequest>;
  /** Lets what `hold` and `delayUntil` keep back go on, now and later. */
  release(): void;
}

type SetFault = (match?: RequestMatch, times?: number) => Fault;

/**
 * A proxy that misbehaves on command between a client and an HTTP service: barriers, no clocks. Each fault is for the
 * next `times` (default 1) requests that match; the oldest matching fault wins; other requests pass unchanged. A client
 * that gives up does not stop what it sent: it still reaches the target. See `FaultKind` for what each fault does.
 */
export interface FaultProxy {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  hold: SetFault;
  delayUntil: SetFault;
  dropAfterApply: SetFault;
  duplicate: SetFault;
  refuse: SetFault;
  /** Removes every fault and releases what is held. */
  passThrough(): void;
  /** Sends later requests to another target, as when a service came back elsewhere. */
  retarget(targetUrl: string): void;
  stop(): Promise<void>;
}

interface Rule {
  id: string;
  kind: FaultKind;
  match: RequestMatch;
  remaining: number;
  arrived: Deferred<SeenRequest>;
  applied: Deferred<SeenRequest>;
  done: Deferred<SeenRequest>;
  gate: Deferred<void>;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Headers that speak of one connection, not of the answer. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding"]);

export async function startFaultProxy(targetUrl: string): Promise<FaultProxy> {
  let target = new URL(targetUrl);
  const seen: SeenRequest[] = [];
  const rules = new Map<string, Rule>();

  const set = (kind: FaultKind, match: RequestMatch = {}, times = 1): Rule => {
    const rule: Rule = {
      id: String(rules.size + 1),
      kind,
      match,
      remaining: times,
      arrived: deferred(),
      applied: deferred(),
      done: deferred(),
      gate: deferred(),
    };
    rules.set(rule.id, rule);
    return rule;
  };
  const faultOf = (rule: Rule): Fault => ({
    id: rule.id,
    arrived: rule.arrived.promise,
    applied: rule.applied.promise,
    done: rule.done.promise,
    release: () => rule.gate.resolve(),
  });
  const passThrough = () => {
    for (const rule of rules.values()) {
      rule.remaining = 0;
      rule.gate.resolve();
    }
  };

  const forward = (incoming: IncomingMessage, body: Buffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      // A connection of its own for each call: a target that was killed and came back must not be met on a dead one.
      const outgoing = sendRequest(
        new URL(incoming.url ?? "/", target),
        { method: incoming.method, headers: { ...incoming.headers, host: target.host }, agent: false },
        (response) => {
          buffer(response).then(
            (content) => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: content }),
            reject,
          );
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });

  const proxy = async (incoming: IncomingMessage, response: ServerResponse, body: Buffer) => {
    const request: SeenRequest = {
      n: seen.length + 1,
      method: incoming.method ?? "GET",
      path: incoming.url ?? "/",
      body: body.toString("utf8"),
      fault: null,
      statuses: [],
    };
    seen.push(request);
    const rule = [...rules.values()].find((candidate) => candidate.remaining > 0 && matches(candidate.match, request));
    if (rule) {
      rule.remaining -= 1;
      request.fault = rule.kind;
      rule.arrived.resolve(request);
    }
    const call = async (): Promise<Answer> => {
      const answer = await forward(incoming, body);
      request.statuses.push(answer.status);
      rule?.applied.resolve(request);
      return answer;
    };
    try {
      if (rule?.kind === "refuse") {
        response.destroy();
        return;
      }
      if (rule?.kind === "hold") await rule.gate.promise;
      let answer = await call();
      if (rule?.kind === "duplicate") answer = await call();
      if (rule?.kind === "delayUntil") await rule.gate.promise;
      if (rule?.kind === "dropAfterApply") {
        response.destroy();
        return;
      }
      const headers = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name));
      response.writeHead(answer.status, Object.fromEntries(headers)).end(answer.body);
    } catch {
      // The target is gone: to the client this looks as it would without a proxy, a broken connection.
      response.destroy();
    } finally {
      rule?.done.resolve(request);
    }
  };

  const control = async (response: ServerResponse, body: Buffer): Promise<void> => {
    const reply = (status: number, value: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
    const parsed = FaultCommandSchema.safeParse(parseJson(body));
    if (!parsed.success) return reply(400, { error: parsed.error.message });
    const command = parsed.data;
    if (command.action === "fault") return reply(200, { id: set(command.kind, command.match, command.times).id });
    if (command.action === "seen") return reply(200, { seen });
    if (command.action === "passThrough") {
      passThrough();
      return reply(200, {});
    }
    const rule = rules.get(command.id);
    if (!rule) return reply(404, { error: `no fault ${command.id}` });
    if (command.action === "release") {
      rule.gate.resolve();
      return reply(200, {});
    }
    return reply(200, { request: await rule[command.action].promise });
  };

  const server = createServer((incoming, response) => {
    buffer(incoming).then(
      (body) => (incoming.url === FAULT_CONTROL_PATH ? control(response, body) : proxy(incoming, response, body)),
      // The client went away while it was sending: nothing to forward, no one to answer.
      () => response.destroy(),
    );
  });
  // Tests hold requests for as long as they like.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the fault proxy has no port");

  const setter =
    (kind: FaultKind): SetFault =>
    (match, times) =>
      faultOf(set(kind, match, times));
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    hold: setter("hold"),
    delayUntil: setter("delayUntil"),
    dropAfterApply: setter("dropAfterApply"),
    duplicate: setter("duplicate"),
    refuse: setter("refuse"),
    passThrough,
    retarget: (url) => {
      target = new URL(url);
    },
    stop: () =>
      new Promise((resolve) => {
        passThrough();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function matches(match: RequestMatch, request: SeenRequest): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== request.method) return false;
  if (match.body !== undefined && !request.body.includes(match.body)) return false;
  if (match.path === undefined) return true;
  return request.path.includes(match.path) || percentDecoded(request.path).includes(match.path);
}

function percentDecoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
