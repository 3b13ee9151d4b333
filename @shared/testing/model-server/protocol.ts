import type { IncomingHttpHeaders } from "node:http";
import type { ModelProtocol } from "../modelControl.ts";
import type { DeclaredTool, ToolCall } from "./toolCalls.ts";

/** What a vendor's API has in common with the others: a request is read, an answer or an error is written. */
export interface Protocol {
  readonly name: ModelProtocol;
  /** The request this path is; null: none of this API. */
  match(method: string, path: string): Matched | null;
  /** The key where this API wants it. */
  keyOf(headers: IncomingHttpHeaders, url: URL): string | null;
  /** What the request asks for, or why the real API would answer 400. */
  read(body: unknown, matched: Matched): Read | { error: string };
  /** The whole answer, as JSON. */
  json(answer: Answer): unknown;
  /** The answer as server-sent events. Those before `from` are sent before a slow answer waits or a cut one breaks. */
  events(answer: Answer): { events: string[]; from: number };
  refusal(refusal: Refusal): { status: number; headers: Record<string, string>; body: unknown };
}

export interface Matched {
  /** Of the path, where it names them. */
  model: string | null;
  stream: boolean | null;
  /** A side call that counts tokens. */
  counts: boolean;
}

export interface Read {
  model: string;
  stream: boolean;
  tools: DeclaredTool[];
  /** All text of the request, for what only stands there, like the client's directory. */
  text: string;
}

export interface Answer {
  id: string;
  model: string;
  text: string | null;
  calls: ToolCall[];
  usage: { input: number; output: number };
}

export type Refusal =
  | { kind: "bad-key" }
  | { kind: "rate-limit"; retryAfterSeconds: number | null }
  | { kind: "quota" }
  | { kind: "status"; status: number; message: string };

/** One server-sent event. */
export const sse = (data: unknown, event?: string): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

/** Text in two pieces, so that a stream has a middle. */
export const halves = (text: string): string[] => {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((piece) => piece !== "");
};

export const bearerIn = (header: string | string[] | undefined): string | null =>
  /^Bearer (.+)$/i.exec(typeof header === "string" ? header : "")?.[1] ?? null;
export const bearerOf = (headers: IncomingHttpHeaders): string | null => bearerIn(headers.authorization);

/** The header that says when to come back. */
export const retryAfter = (seconds: number | null): Record<string, string> =>
  seconds === null ? {} : { "retry-after": String(seconds) };
