import { NO_USAGE, type RunClass } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../../context.ts";
import { oneLine, redacted, saysQuota } from "../../../integrations/foreignAnswer.ts";
import { type Jules, julesAt, type JulesRefusal, type JulesSession } from "../../../integrations/jules.ts";
import {
  MAX_CHANGE_BYTES,
  type Polled,
  type ProviderDriver,
  type ProviderResult,
  type ProviderRun,
} from "../driver.ts";
import {
  createSession,
  deliveredBy,
  failureOf,
  findSession,
  findSource,
  lastWordOf,
  planOf,
  questionOf,
  titleOf,
  wasSaid,
  type Waiting,
} from "./julesClient.ts";

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;
/** Polls in a row that came to nothing before the run counts as failed: with the waits between them, ten minutes. */
const MAX_FAILED_POLLS = 12;
const STOP_MESSAGE = "Stop working on this task: it has been cancelled. Do not change anything more.";

/** What a poll hands to the next one. */
const CursorSchema = z.object({
  state: z.string().default(""),
  /** Polls in a row that found the session as it was. */
  quiet: z.number().int().nonnegative().default(0),
  failed: z.number().int().nonnegative().default(0),
  /** The question that was handed over last: it is not handed over twice. */
  asked: z.string().nullable().default(null),
});
type Cursor = z.infer<typeof CursorSchema>;

const CLASSES: Record<JulesRefusal["kind"], RunClass> = {
  auth: "auth",
  "rate-limited": "rate-limited",
  quota: "quota",
  "not-found": "provider-error",
  refused: "agent-error",
  unavailable: "provider-error",
  unreachable: "provider-error",
  unreadable: "provider-error",
};

/**
 * Jules works on a branch on GitHub, in sessions of its own: it is asked, polled, and told what people decide. Its API
 * cannot stop a session; a cancelled one is told to stop, and what it delivers is not looked at.
 */
export const julesDriver: ProviderDriver = {
  async begin(ctx, run) {
    const { repository, branch } = run;
    if (repository === null || branch === null) {
      return begunWith(failed("agent-error", "Jules works on a branch on GitHub, and this task has none"));
    }
    const jules = julesOf(ctx, run);
    // A crash between the creation of a session and the record of it leaves the session: its title says whose it is.
    const earlier = await findSession(jules, run.runId);
    if (!earlier.ok) return begunWith(refusedBy(earlier));
    if (earlier.value) return begun(earlier.value);

    const source = await findSource(jules, repository);
    if (!source.ok) return begunWith(refusedBy(source));
    if (source.value === null) {
      return begunWith(failed("agent-error", `Jules is not connected to the repository ${oneLine(repository)}`));
    }
    const session = await createSession(jules, run.runId, {
      prompt: run.prompt,
      title: titleOf(run.task.title, run.runId),
      source: source.value,
      startingBranch: branch,
      requirePlanApproval: run.approvePlan,
    });
    // Whether there is a session is not known: to begin again looks for it first.
    if (!session.ok && session.kind === "unreachable") throw new Error(session.message);
    return session.ok ? begun(session.value) : begunWith(refusedBy(session));
  },

  async poll(ctx, run, { externalId, cursor: text }) {
    const cursor = readCursor(text);
    if (externalId === null) return { done: true, result: failed("host-lost", "the run has no session") };
    const jules = julesOf(ctx, run);
    const session = await jules.getSession(externalId);
    if (!session.ok) return afterRefusal(session, cursor);
    const state = session.value.state ?? "";
    const reads = state === "COMPLETED" || state === "FAILED" || state.startsWith("AWAITING_");
    const activities = reads ? await jules.listActivities(externalId) : { ok: true as const, value: [] };
    if (!activities.ok) return afterRefusal(activities, cursor);

    switch (state) {
      case "COMPLETED":
        return { done: true, result: completed(session.value, activities.value, run.apiKey) };
      case "FAILED": {
        const reason = failureOf(activities.value);
        // The reason is told a little after the state.
        if (reason === "" && cursor.state !== state) return again({ ...cursor, state }, FIRST_WAIT_MS);
        return { done: true, result: endedBadly(session.value, reason, run.apiKey) };
      }
      case "AWAITING_PLAN_APPROVAL": {
        if (run.approvePlan) return asking("plan-approval", planOf(activities.value), cursor, state, run.apiKey);
        const approved = await jules.approvePlan(externalId);
        return approved.ok || approved.kind === "refused"
          ? again({ ...cursor, state, quiet: 0, failed: 0 }, FIRST_WAIT_MS)
          : afterRefusal(approved, cursor);
      }
      case "AWAITING_USER_FEEDBACK":
        return asking("clarification", questionOf(activities.value), cursor, state, run.apiKey);
      default:
        // At work, or in a state that the API has got since: it will tell.
        return stillAtWork(cursor, state);
    }
  },

  async answer(ctx, run, externalId, kind, text) {
    if (externalId === null) return;
    const jules = julesOf(ctx, run);
    const session = await jules.getSession(externalId);
    if (!session.ok) throw new Error(session.message);
    // Decided already: by this answer, whose own answer was lost, or by a person at Jules.
    if (session.value.state !== WAITING_FOR[kind]) return;
    if (kind === "plan-approval" && isApproval(text)) {
      const approved = await jules.approvePlan(externalId);
      if (!approved.ok && approved.kind !== "refused") throw new Error(approved.message);
      return;
    }
    const activities = await jules.listActivities(externalId);
    if (!activities.ok) throw new Error(activities.message);
    if (wasSaid(activities.value, text)) return;
    const sent = await jules.sendMessage(externalId, text);
    if (!sent.ok) throw new Error(sent.message);
  },

  async cancel(ctx, run, externalId) {
    const jules = julesOf(ctx, run);
    const session = externalId === null ? await findSession(jules, run.runId) : await jules.getSession(externalId);
    if (!session.ok) {
      ctx.log.warn("a cancelled session of Jules could not be told", { runId: run.runId, why: session.message });
      return;
    }
    if (session.value === null || session.value.state === "COMPLETED" || session.value.state === "FAILED") return;
    const { name } = session.value;
    const activities = await jules.listActivities(name);
    if (activities.ok && wasSaid(activities.value, STOP_MESSAGE)) return;
    const told = await jules.sendMessage(name, STOP_MESSAGE);
    if (!told.ok) {
      ctx.log.warn("a cancelled session of Jules could not be told", { runId: run.runId, why: told.message });
    }
  },

  // It lists what the account is connected to.
  probeIsFree: true,
  async probe(ctx, provider, apiKey) {
    const sources = await julesAt(provider.api_endpoint, apiKey, () => ctx.now()).listSources();
    if (!sources.ok) return { state: "failing", class: CLASSES[sources.kind], message: sources.message };
    const { length } = sources.value;
    return {
      state: "ok",
      class: null,
      message: `connected to ${length} ${length === 1 ? "repository" : "repositories"}`,
    };
  },
};

const WAITING_FOR = {
  "plan-approval": "AWAITING_PLAN_APPROVAL",
  clarification: "AWAITING_USER_FEEDBACK",
} as const;

/** `approve`, `approved`, `yes`, `ok`: anything else is what Jules is to change of its plan. */
const isApproval = (text: string): boolean => /^\s*(?:approved?|yes|ok(?:ay)?|lgtm)\s*[.!]?\s*$/i.test(text);

const julesOf = (ctx: ServiceContext, { provider, apiKey }: ProviderRun): Jules =>
  julesAt(provider.api_endpoint, apiKey, () => ctx.now());

const begun = ({ name }: JulesSession) => ({
  externalId: name,
  cursor: writeCursor(CursorSchema.parse({})),
  result: null,
});
const begunWith = (result: ProviderResult) => ({ externalId: null, cursor: "", result });

function readCursor(text: string): Cursor {
  if (text === "") return CursorSchema.parse({});
  return CursorSchema.parse(JSON.parse(text));
}
const writeCursor = (cursor: Cursor): string => JSON.stringify(cursor);

const again = (cursor: Cursor, waitMs: number): Polled => ({ done: false, cursor: writeCursor(cursor), waitMs });

/** Doubles with every poll that finds nothing new, up to a minute. */
const waitAfter = (quiet: number): number => Math.min(FIRST_WAIT_MS * 2 ** Math.min(quiet, 10), LONGEST_WAIT_MS);

function stillAtWork(cursor: Cursor, state: string): Polled {
  const quiet = state === cursor.state ? cursor.quiet + 1 : 0;
  return again({ ...cursor, state, quiet, failed: 0 }, waitAfter(quiet));
}

function asking(
  kind: "plan-approval" | "clarification",
  { key, text }: Waiting,
  cursor: Cursor,
  state: string,
  apiKey: string,
): Polled {
  // It was handed over and answered; Jules has not gone on yet.
  if (cursor.asked === key) return stillAtWork(cursor, state);
  return {
    done: false,
    cursor: writeCursor({ ...cursor, state, quiet: 0, failed: 0, asked: key }),
    waitMs: FIRST_WAIT_MS,
    question: { kind, text: redacted(text, apiKey) },
  };
}

/** What may pass is asked again, for a while: the session goes on whether it is looked at or not. */
function afterRefusal(refused: JulesRefusal, cursor: Cursor): Polled {
  const count = cursor.failed + 1;
  const mayPass = refused.kind !== "auth" && refused.kind !== "quota" && refused.kind !== "refused";
  if (!mayPass || count >= MAX_FAILED_POLLS) return { done: true, result: refusedBy(refused) };
  return again({ ...cursor, failed: count }, Math.max(refused.retryAfterMs ?? 0, waitAfter(count)));
}

function completed(
  session: JulesSession,
  activities: Parameters<typeof deliveredBy>[1],
  apiKey: string,
): ProviderResult {
  const { diff, baseCommit, pullRequest } = deliveredBy(session, activities);
  const lastWord = lastWordOf(activities);
  const said = lastWord === null ? null : redacted(lastWord, apiKey);
  const summary =
    pullRequest === null ? said : [`Pull request: ${oneLine(pullRequest)}`, said].filter(Boolean).join("\n");
  const result = (kind: RunClass, message: string): ProviderResult => ({
    ...failed(kind, message),
    summary,
    baseCommit,
  });
  if (diff.includes(apiKey)) return result("key-printed", "the key stood in the diff");
  if (diff.trim() === "") {
    return pullRequest === null
      ? result("empty-diff", "Jules ended well and changed nothing")
      : result("empty-diff", "Jules opened a pull request and gave no patch");
  }
  if (new TextEncoder().encode(diff).byteLength > MAX_CHANGE_BYTES) {
    return result("diff-refused", `the diff has more than ${MAX_CHANGE_BYTES} bytes`);
  }
  return {
    ...result("change", "Jules delivered a patch"),
    change: { format: "udiff", text: diff, ...(baseCommit === null ? {} : { baseCommit }) },
  };
}

function endedBadly(session: JulesSession, reason: string, apiKey: string): ProviderResult {
  const why = oneLine(redacted(reason, apiKey));
  return {
    ...failed(
      saysQuota(reason) ? "quota" : "agent-error",
      why === "" ? "Jules failed and does not say why" : `Jules failed: ${why}`,
    ),
    summary: session.url ? `Session: ${oneLine(session.url)}` : null,
  };
}

const refusedBy = ({ kind, message, retryAfterMs }: JulesRefusal): ProviderResult => ({
  ...failed(CLASSES[kind], message),
  retryAfterMs,
});

const failed = (kind: RunClass, message: string): ProviderResult => ({
  class: kind,
  message,
  retryAfterMs: null,
  change: null,
  usage: NO_USAGE,
  summary: null,
  cliVersion: null,
  baseCommit: null,
});
