import type { RunClass } from "@shared/contracts";

/** Why a provider or its agent gave up. */
export interface Failure {
  class: Extract<RunClass, "rate-limited" | "quota" | "auth" | "provider-error" | "agent-error">;
  message: string;
  retryAfterMs: number | null;
}

/** Of what is told to people, one line and no more than this. */
const MAX_MESSAGE = 500;

/** An account that has nothing left: waiting for the next minute does not help. */
const QUOTA =
  /insufficient[_ ]quota|exceeded your (?:current|daily|monthly) quota|quota (?:exceeded|exhausted|reached)|exhausted your (?:\w+ )?(?:quota|capacity)|billing|credit balance|out of credits|usage limit|spend(?:ing)? limit|premium requests?|payment required|TerminalQuotaError|per ?day/iu;
const AUTH =
  /\b40[13]\b|unauthori[sz]ed|authentication|not (?:logged|signed) in|log ?in required|(?:incorrect|invalid|missing|no) api[ _-]?key|api[ _-]?key (?:not|is|was) (?:valid|invalid|incorrect|expired|found)|permission[_ ]denied|forbidden|invalid x-api-key|bad credentials/iu;
const RATE = /\b429\b|rate[ _-]?limit|too many requests|resource[_ ]exhausted/iu;
const SERVICE =
  /\b5\d\d\b (?!ms|lines|bytes)|status(?:code)?\W{1,4}5\d\d|\b(?:5\d\d) \w|overloaded|internal server error|bad gateway|service unavailable|high demand|server[_ ]error|econnrefused|econnreset|enotfound|etimedout|eai_again|connection (?:error|refused|reset)|fetch failed|network error|stream (?:disconnected|ended|closed)|error sending request|timed? ?out/iu;

/** What an HTTP status says, and what the words add to it. */
export function failureOf(text: string, status: number | null, retryAfterMs: number | null = null): Failure {
  const message = oneLine(text);
  return { class: classOf(text, status), message, retryAfterMs: retryAfterMs ?? retryAfterIn(text) };
}

function classOf(text: string, status: number | null): Failure["class"] {
  if (status === 402) return "quota";
  if (status === 401 || status === 403) return QUOTA.test(text) ? "quota" : "auth";
  if (status === 429) return QUOTA.test(text) ? "quota" : "rate-limited";
  if (status !== null && status >= 500) return "provider-error";
  if (QUOTA.test(text)) return "quota";
  if (RATE.test(text)) return "rate-limited";
  if (AUTH.test(text)) return "auth";
  return SERVICE.test(text) ? "provider-error" : "agent-error";
}

/** An HTTP status that a text names as one. */
export function statusIn(text: string): number | null {
  const found =
    /(?:status(?:[ _-]?code)?|http|code|error:?|unexpected status)["']?\s*[:=(]?\s*([45]\d\d)\b|\(([45]\d\d)\)/iu.exec(
      text,
    );
  const digits = found?.[1] ?? found?.[2];
  return digits === undefined ? null : Number(digits);
}

const DELAY =
  /(?:retry[-_ ]?after|retry[-_ ]?delay(?:[-_ ]?ms)?|(?:try|retry)(?: again)? in)["']?\s*[:=]?\s*["']?(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?)?\b/iu;

/** How long to stay away, where a text says so: "retry after 7", "try again in 1.5s", `retryDelay: "7s"`. */
export function retryAfterIn(text: string): number | null {
  const found = DELAY.exec(text);
  if (!found) return null;
  const unit = found[2] ?? (/ms["']?\s*[:=]/iu.test(found[0]) ? "ms" : "s");
  return Math.round(Number(found[1]) * factorOf(unit.toLowerCase()));
}

function factorOf(unit: string): number {
  if (unit === "ms" || unit.startsWith("milli")) return 1;
  if (unit.startsWith("h")) return 3_600_000;
  return unit.startsWith("m") ? 60_000 : 1000;
}

/** For people: the first line, without control characters, cut to length. */
export function oneLine(text: string): string {
  const line = text
    .split("\n")
    .map((one) => one.replaceAll(/\p{Cc}/gu, " ").trim())
    .find((one) => one !== "");
  const plain = line ?? "";
  return plain.length > MAX_MESSAGE ? `${plain.slice(0, MAX_MESSAGE)}…` : plain;
}
