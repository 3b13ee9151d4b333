import { boundedText } from "@shared/worker-kit";
import { z } from "zod";
import { oneLine, redacted, retryAfterMs, saysQuota } from "./foreignAnswer.ts";

/** Jules' REST API, v1alpha: what is unknown of an answer passes through, what is needed of it is checked. */

export const JULES_ENDPOINT = "https://jules.googleapis.com/v1alpha";
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const PAGE_SIZE = 100;
/** Pages read of one list: 2,000 sessions, sources or activities. */
const MAX_PAGES = 20;

const GitPatchSchema = z.looseObject({
  unidiffPatch: z.string().nullish(),
  baseCommitId: z.string().nullish(),
});
const ChangeSetSchema = z.looseObject({ gitPatch: GitPatchSchema.nullish() });
const OutputSchema = z.looseObject({
  changeSet: ChangeSetSchema.nullish(),
  pullRequest: z.looseObject({ url: z.string().nullish() }).nullish(),
});
const SourceSchema = z.looseObject({
  name: z.string().min(1),
  githubRepo: z.looseObject({ owner: z.string(), repo: z.string() }).nullish(),
});
const SessionSchema = z.looseObject({
  /** `sessions/ID`. */
  name: z.string().regex(/^sessions\/[\w-]+$/),
  title: z.string().nullish(),
  /** One of the API's states, or one that it has got since. */
  state: z.string().nullish(),
  url: z.string().nullish(),
  outputs: z.array(OutputSchema).nullish(),
});
const ActivitySchema = z.looseObject({
  name: z.string().nullish(),
  id: z.string().nullish(),
  agentMessaged: z.looseObject({ agentMessage: z.string().nullish() }).nullish(),
  userMessaged: z.looseObject({ userMessage: z.string().nullish() }).nullish(),
  planGenerated: z
    .looseObject({
      plan: z
        .looseObject({
          steps: z.array(z.looseObject({ title: z.string().nullish(), description: z.string().nullish() })).nullish(),
        })
        .nullish(),
    })
    .nullish(),
  sessionFailed: z.looseObject({ reason: z.string().nullish() }).nullish(),
  artifacts: z.array(z.looseObject({ changeSet: ChangeSetSchema.nullish() })).nullish(),
});
export type JulesSource = z.infer<typeof SourceSchema>;
export type JulesSession = z.infer<typeof SessionSchema>;
export type JulesActivity = z.infer<typeof ActivitySchema>;

const ErrorSchema = z.looseObject({
  error: z.looseObject({
    message: z.string().optional(),
    status: z.string().optional(),
    details: z.array(z.looseObject({ reason: z.string().optional() })).optional(),
  }),
});

export interface NewSession {
  prompt: string;
  title: string;
  source: string;
  startingBranch: string;
  requirePlanApproval: boolean;
}

/**
 * Why there is no answer that can be used.
 * - `unreachable`: the connection broke, or nothing came in time: whether the call was carried out is not known
 * - `unreadable`: an answer came, and it is none of this API's, or too large
 * - `refused`: the request itself is at fault, as Jules sees it
 */
export interface JulesRefusal {
  ok: false;
  kind: "auth" | "rate-limited" | "quota" | "not-found" | "refused" | "unavailable" | "unreachable" | "unreadable";
  status: number | null;
  message: string;
  retryAfterMs: number | null;
}
export type JulesAnswer<T> = { ok: true; value: T } | JulesRefusal;

export interface Jules {
  listSources(): Promise<JulesAnswer<JulesSource[]>>;
  listSessions(): Promise<JulesAnswer<JulesSession[]>>;
  createSession(session: NewSession): Promise<JulesAnswer<JulesSession>>;
  /** `name` is `sessions/ID`, as in all that follow. */
  getSession(name: string): Promise<JulesAnswer<JulesSession>>;
  /** Oldest first. A session that has none yet is answered with 404: here, with none. */
  listActivities(name: string): Promise<JulesAnswer<JulesActivity[]>>;
  approvePlan(name: string): Promise<JulesAnswer<object>>;
  sendMessage(name: string, prompt: string): Promise<JulesAnswer<object>>;
}

/** No method throws, and no message holds the key. */
export function julesAt(endpoint: string | null, apiKey: string, now: () => Date): Jules {
  const base = (endpoint ?? JULES_ENDPOINT).replace(/\/+$/, "");

  const call = async <T>(
    schema: z.ZodType<T>,
    method: "GET" | "POST",
    path: string,
    body?: object,
  ): Promise<JulesAnswer<T>> => {
    let response: Response;
    let text: string | null;
    try {
      response = await fetch(`${base}/${path}`, {
        method,
        headers: {
          "x-goog-api-key": apiKey,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The key goes nowhere but where it was sent.
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await boundedText(response, MAX_ANSWER_BYTES);
    } catch {
      return refusal("unreachable", null, "Jules did not answer");
    }
    if (text === null) return refusal("unreadable", response.status, "Jules' answer is too large");
    const value = parseJson(text);
    if (!response.ok) return refusalOf(response, value, apiKey, now());
    const parsed = schema.safeParse(value);
    return parsed.success
      ? { ok: true, value: parsed.data }
      : refusal("unreadable", response.status, "Jules answered in an unknown form");
  };

  const list = async <T>(path: string, key: string, item: z.ZodType<T>): Promise<JulesAnswer<T[]>> => {
    const items: T[] = [];
    let token: string | undefined;
    const page = z.looseObject({ [key]: z.array(item).nullish(), nextPageToken: z.string().nullish() });
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const query = new URLSearchParams({ pageSize: String(PAGE_SIZE), ...(token ? { pageToken: token } : {}) });
      const answer = await call(page, "GET", `${path}?${query.toString()}`);
      if (!answer.ok) return answer;
      const found = z.array(item).nullish().parse(answer.value[key]);
      items.push(...(found ?? []));
      token = z.string().nullish().parse(answer.value.nextPageToken) ?? undefined;
      if (token === undefined || token === "") break;
    }
    return { ok: true, value: items };
  };

  return {
    listSources: () => list("sources", "sources", SourceSchema),
    listSessions: () => list("sessions", "sessions", SessionSchema),
    createSession: ({ prompt, title, source, startingBranch, requirePlanApproval }) =>
      call(SessionSchema, "POST", "sessions", {
        prompt,
        title,
        sourceContext: { source, githubRepoContext: { startingBranch } },
        requirePlanApproval,
      }),
    getSession: (name) => call(SessionSchema, "GET", name),
    async listActivities(name) {
      const answer = await list(`${name}/activities`, "activities", ActivitySchema);
      return !answer.ok && answer.kind === "not-found" ? { ok: true, value: [] } : answer;
    },
    approvePlan: (name) => call(z.looseObject({}), "POST", `${name}:approvePlan`, {}),
    sendMessage: (name, prompt) => call(z.looseObject({}), "POST", `${name}:sendMessage`, { prompt }),
  };
}

const refusal = (
  kind: JulesRefusal["kind"],
  status: number | null,
  message: string,
  after: number | null = null,
): JulesRefusal => ({ ok: false, kind, status, message, retryAfterMs: after });

function refusalOf(response: Response, body: unknown, apiKey: string, now: Date): JulesRefusal {
  const { status } = response;
  const parsed = ErrorSchema.safeParse(body);
  const said = parsed.success ? (parsed.data.error.message ?? "") : "";
  const reasons = parsed.success ? (parsed.data.error.details ?? []).map(({ reason }) => reason) : [];
  const message = `Jules answered ${status}${said === "" ? "" : `: ${oneLine(redacted(said, apiKey))}`}`;
  const after = retryAfterMs(response.headers.get("retry-after"), now);
  if (status === 401 || status === 403 || reasons.includes("API_KEY_INVALID")) return refusal("auth", status, message);
  if (status === 404) return refusal("not-found", status, message);
  if (status === 429) return refusal(saysQuota(said) ? "quota" : "rate-limited", status, message, after);
  if (status >= 500) return refusal("unavailable", status, message, after);
  return refusal("refused", status, message);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
