import { describe, expect, test } from "vitest";
import { failureOf, oneLine, retryAfterIn, statusIn } from "../../agent-runs/classify.ts";

/** What the CLIs said, word for word, and what it means. */
test.each([
  ["exceeded retry limit, last status: 429 Too Many Requests", "rate-limited"],
  ["unexpected status 401 Unauthorized: Incorrect API key provided, url: http://host/v1/responses", "auth"],
  ["We’re currently experiencing high demand, which may cause temporary errors.", "provider-error"],
  ["Quota exceeded. Check your plan and billing details.", "quota"],
  ["API Error: Request rejected (429) · Rate limit reached, slow down", "rate-limited"],
  ["Failed to authenticate. API Error: 401 Incorrect API key provided", "auth"],
  ["API Error: 500 The server had an error. This is a server-side issue, usually temporary", "provider-error"],
  ["Your credit balance is too low to access the API", "quota"],
  ["[API Error: Rate limit reached, slow down]", "rate-limited"],
  ["Failed to get response from the AI model; retried 5 times Last error: 429 Rate limit reached", "rate-limited"],
  ["Authentication failed with provider at http://host/v1 (HTTP 401).", "auth"],
  ["connect ECONNREFUSED 127.0.0.1:1", "provider-error"],
  ["the agent lost its way", "agent-error"],
])("%s", (text, expected) => {
  expect(failureOf(text, statusIn(text)).class).toBe(expected);
});

describe("how long to stay away", () => {
  test.each([
    ["Please retry in 12.5s", 12_500],
    ["try again in 3 minutes", 180_000],
    ['"retryDelay": "7s"', 7_000],
    ["retryDelayMs: 1500,", 1_500],
    ["Retry-After: 30", 30_000],
    ["retry later", null],
    ["retryDelayMs: undefined,", null],
  ])("%s", (text, expected) => {
    expect(retryAfterIn(text)).toBe(expected);
  });
});

test("a message is one line of bounded length", () => {
  expect(oneLine("\n\n  first\u0007 \nsecond")).toBe("first");
  expect(oneLine("x".repeat(10_000)).length).toBeLessThan(600);
});
