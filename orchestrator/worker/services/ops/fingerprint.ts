import { createHash } from "node:crypto";
import { frameOf, isFrame } from "./stackFrames.ts";
import { template } from "./template.ts";

/**
 * The version of the rules below. Fingerprints of different versions have nothing to do with each other: whoever changes
 * what two lines have in common counts it up, and issues of the old version are closed as their trouble falls silent.
 */
export const FINGERPRINT_VERSION = 1;

export interface Trouble {
  kind: "worker-log" | "build-log";
  /** The Worker, or the repository. */
  source: string;
  /** As it was logged, with its stack where there is one. */
  message: string;
}

export interface Fingerprint {
  version: number;
  /** 32 hexadecimal digits. */
  fingerprint: string;
  /** What the lines of one trouble have in common: what varies from line to line stands in angle brackets. */
  template: string;
  /** The function or file on top of the stack, where the message alone does not say what broke. */
  frame: string | null;
}

/** More of a message than this says nothing more of its cause. */
const MAX_CHARS = 8_000;
const MAX_LINES = 200;
/** Rules look at every place of a line, so a line has a bound of its own. */
const MAX_LINE_CHARS = 1_000;

/** Of a language and not of a program: the same words come from anywhere in it, so the place is part of the cause. */
const GENERIC =
  /^(?:(?:Type|Range|Reference|Syntax|URI|Eval|Key|Value|Attribute|Index)Error|DataCloneError|DATA RACE|panic)\b/;
/** Fewer literal words than this say too little without the place. */
const TELLING_WORDS = 3;

/** A line that names what went wrong, among lines that lead up to it. */
const SALIENT =
  /(?:^|\s)(?:FATAL ERROR|fatal:|panic:|[A-Za-z.]*(?:Error|Exception|NotFound|Expired)\b:?|(?:error|ERROR)(?:\[E\d+\]| [A-Z]{2,}\d+)?:|npm (?:error|ERR!) code|ERR_[A-Z_]+|FAIL\b|toomanyrequests)/;

/**
 * Which trouble a logged message is of: messages that differ in ids, numbers, paths, times, addresses, hashes or quoted
 * values alone have one fingerprint, those of another Worker, repository or kind never. Pure: it depends on nothing else.
 */
export function fingerprintOf({ kind, source, message }: Trouble): Fingerprint {
  const lines = message
    .slice(0, MAX_CHARS)
    .split("\n", MAX_LINES)
    .map((line) => bare(line.slice(0, MAX_LINE_CHARS)));
  const words = spoken(lines);
  const heads = significant(words).map(template);
  const [head = ""] = heads;
  const literal = head.replaceAll(/<[a-z]+>/g, " ").match(/[\p{L}]{3,}/gu)?.length ?? 0;
  const frame = GENERIC.test(head) || literal < TELLING_WORDS ? frameOf(lines) : null;
  const text = heads.join("\n");
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([FINGERPRINT_VERSION, kind, source, text, frame]))
    .digest("hex")
    .slice(0, 32);
  return { version: FINGERPRINT_VERSION, fingerprint, template: text, frame };
}

const COLOUR = /\p{Cc}\[[0-9;]*[A-Za-z]/gu;
const STAMP = /^\s*\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?\s?/;
/** What loggers put before a message, in the order in which they may stand. */
const PREFIXES: readonly RegExp[] = [
  /^\s*##\[(?:error|warning)\]/,
  /^\s*::(?:error|warning)[^:]*::/,
  /^\s*(?:✘|✖|×)\s*/u,
  /^\s*\[?(?:ERROR|WARN|WARNING|FATAL|error|warn|fatal)\]?(?:\s*\||:?)\s+(?=\S)/,
  /^\s*Uncaught(?: \(in (?:promise|response)\))?(?: exception)?:?\s+/,
  /^\s*Error:\s+/,
];

/** A line without colours, times and the names of levels. */
function bare(line: string): string {
  let text = line.replaceAll(COLOUR, "").replace(STAMP, "").trimEnd();
  for (let round = 0; round < 3; round += 1) {
    const before = text;
    for (const prefix of PREFIXES) text = text.replace(prefix, "");
    if (text === before) break;
  }
  return text;
}

/** A structured line's own message; a line of text as it is. */
function spoken(lines: readonly string[]): string[] {
  const [only = ""] = lines;
  if (lines.length === 1 && only.startsWith("{")) {
    const said = messageOfJson(only);
    if (said !== null) return said.split("\n").map(bare);
  }
  return [...lines];
}

function messageOfJson(text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Braces alone make no JSON: then the text itself is the message.
    return null;
  }
  return messageOf(value, 0);
}

function messageOf(value: unknown, depth: number): string | null {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || depth > 2) return null;
  const fields = new Map(Object.entries(value));
  const parts = ["name", "code", "message", "msg", "error", "err", "reason"]
    .map((name) => messageOf(fields.get(name), depth + 1))
    .filter((part) => part !== null && part !== "");
  return parts.length === 0 ? null : parts.join(": ");
}

/** The line that names the trouble, and the one after it: more of them are as often absent as not. */
function significant(lines: readonly string[]): string[] {
  const said = lines.filter((line) => line.trim() !== "" && !isFrame(line) && !isNoise(line));
  const traceback = said.findIndex((line) => line.startsWith("Traceback (most recent call last)"));
  if (traceback !== -1) {
    // Python names the trouble last.
    const last = said
      .slice(traceback + 1)
      .find((line) => /^[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)\b/.test(line));
    if (last !== undefined) return [last];
  }
  const first = Math.max(
    0,
    said.findIndex((line) => SALIENT.test(line)),
  );
  return said.slice(first, first + 2);
}

/** Lines that programs write around every trouble, or that are of the moment. */
const isNoise = (line: string): boolean =>
  /^\s*(?:<---|-----|\^+$|~+$|\d*\s*\||Process completed with exit code|npm (?:error|ERR!)\s*$|npm (?:error|ERR!) A complete log|Note that in CI|Node\.js v\d|at least|\[\d+:0x)/.test(
    line,
  );
