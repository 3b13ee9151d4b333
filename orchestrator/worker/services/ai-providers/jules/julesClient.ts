import {
  type Jules,
  type JulesActivity,
  type JulesAnswer,
  type JulesRefusal,
  type JulesSession,
  type NewSession,
} from "../../../integrations/jules.ts";
import { oneLine } from "../../../integrations/foreignAnswer.ts";

/** What is done with Jules, above its API: each of these may be done again after a crash. */

const MAX_TITLE_LENGTH = 200;
const MAX_QUESTION_LENGTH = 10_000;

/** A title that says whose run a session is. Jules keeps it as it is given. */
export const titleOf = (taskTitle: string, runId: string): string => {
  const mark = markOf(runId);
  return `${oneLine(taskTitle)
    .slice(0, MAX_TITLE_LENGTH - mark.length)
    .toWellFormed()}${mark}`;
};
const markOf = (runId: string): string => ` [${runId}]`;

/** The name of the connected source of a repository, `owner/name`; null where Jules does not have it. */
export async function findSource(jules: Jules, repository: string): Promise<JulesAnswer<string | null>> {
  const sources = await jules.listSources();
  if (!sources.ok) return sources;
  const wanted = repository.toLowerCase();
  const found = sources.value.find(
    ({ githubRepo }) => githubRepo && `${githubRepo.owner}/${githubRepo.repo}`.toLowerCase() === wanted,
  );
  return { ok: true, value: found?.name ?? null };
}

/** The session of a run, where there is one. */
export async function findSession(jules: Jules, runId: string): Promise<JulesAnswer<JulesSession | null>> {
  const sessions = await jules.listSessions();
  if (!sessions.ok) return sessions;
  const mark = markOf(runId);
  return { ok: true, value: sessions.value.find(({ title }) => title?.endsWith(mark)) ?? null };
}

/**
 * Creates the session of a run. Where the answer is lost the sessions say whether it was created; where they do not say
 * either, `unreachable`.
 */
export async function createSession(
  jules: Jules,
  runId: string,
  session: NewSession,
): Promise<JulesAnswer<JulesSession>> {
  const created = await jules.createSession(session);
  if (created.ok || !isInDoubt(created)) return created;
  const found = await findSession(jules, runId);
  if (!found.ok) return created;
  return found.value ? { ok: true, value: found.value } : created;
}

const isInDoubt = ({ kind }: JulesRefusal): boolean =>
  kind === "unreachable" || kind === "unreadable" || kind === "unavailable";

export interface Waiting {
  /** The same for the same question, however often it is read. */
  key: string;
  text: string;
}

/** The plan that waits for approval: the last one there is. */
export function planOf(activities: readonly JulesActivity[]): Waiting {
  const found = activities.findLast(({ planGenerated }) => planGenerated);
  const steps = found?.planGenerated?.plan?.steps ?? [];
  const text = steps
    .map(({ title, description }, index) => `${index + 1}. ${[title, description].filter(Boolean).join(": ")}`)
    .join("\n");
  return {
    key: `plan ${keyOf(found)}`,
    text: text === "" ? "Jules has a plan and waits for its approval." : cut(text),
  };
}

/** What Jules asks: the last thing it said. */
export function questionOf(activities: readonly JulesActivity[]): Waiting {
  const found = activities.findLast(({ agentMessaged }) => agentMessaged?.agentMessage);
  return {
    key: `question ${keyOf(found)}`,
    text: cut(found?.agentMessaged?.agentMessage ?? "Jules waits for an answer and does not say to what."),
  };
}

/** Whether this was the last thing that was said to Jules, and it has not answered since. */
export function wasSaid(activities: readonly JulesActivity[], text: string): boolean {
  const last = activities.findLast(({ userMessaged, agentMessaged }) => userMessaged ?? agentMessaged);
  return last?.userMessaged?.userMessage === text;
}

/** Why a session failed. It stands nowhere but here. */
export const failureOf = (activities: readonly JulesActivity[]): string =>
  activities.findLast(({ sessionFailed }) => sessionFailed)?.sessionFailed?.reason ?? "";

export interface Delivered {
  diff: string;
  baseCommit: string | null;
  pullRequest: string | null;
}

/** What a session came to: the patches of its outputs, else the last one among what it told. */
export function deliveredBy(session: JulesSession, activities: readonly JulesActivity[]): Delivered {
  const outputs = session.outputs ?? [];
  const patches = outputs
    .flatMap(({ changeSet }) => (changeSet?.gitPatch ? [changeSet.gitPatch] : []))
    .filter((patch) => patch.unidiffPatch);
  const told = activities
    .flatMap(({ artifacts }) => artifacts ?? [])
    .flatMap(({ changeSet }) => (changeSet?.gitPatch ? [changeSet.gitPatch] : []))
    .findLast((patch) => patch.unidiffPatch);
  // Each patch of a session is against its base: the last one holds all that was done.
  const patch = patches.at(-1) ?? told;
  return {
    diff: patch?.unidiffPatch ?? "",
    baseCommit: patch?.baseCommitId ?? null,
    pullRequest: outputs.map(({ pullRequest }) => pullRequest?.url).find((url) => typeof url === "string") ?? null,
  };
}

/** What Jules said last. */
export const lastWordOf = (activities: readonly JulesActivity[]): string | null => {
  const said = activities.findLast(({ agentMessaged }) => agentMessaged?.agentMessage)?.agentMessaged?.agentMessage;
  return said ? cut(said) : null;
};

const keyOf = (activity: JulesActivity | undefined): string => activity?.id ?? activity?.name ?? "unnamed";
const cut = (text: string): string => text.slice(0, MAX_QUESTION_LENGTH).toWellFormed();
