import { type Refusal, retryAfter } from "./protocol.ts";

const errorBody = (message: string, type: string, code: string | null) => ({
  error: { message, type, param: null, code },
});

/** OpenAI's error bodies, which its Responses and Chat Completions share. */
export function openaiRefusal(refusal: Refusal): { status: number; headers: Record<string, string>; body: unknown } {
  if (refusal.kind === "rate-limit") {
    const { retryAfterSeconds } = refusal;
    return {
      status: 429,
      headers: retryAfter(retryAfterSeconds),
      body: errorBody(
        "Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1.",
        "requests",
        "rate_limit_exceeded",
      ),
    };
  }
  if (refusal.kind === "quota") {
    return {
      status: 429,
      headers: {},
      body: errorBody(
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
      ),
    };
  }
  if (refusal.kind === "bad-key") {
    return {
      status: 401,
      headers: {},
      body: errorBody("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    };
  }
  const { status, message } = refusal;
  if (status === 401)
    return { status, headers: {}, body: errorBody(message, "invalid_request_error", "invalid_api_key") };
  return {
    status,
    headers: {},
    body: errorBody(message, status < 500 ? "invalid_request_error" : "server_error", null),
  };
}
