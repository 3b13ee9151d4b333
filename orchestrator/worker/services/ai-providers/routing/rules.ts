import type { ErrorCode } from "@shared/contracts";
import type { ProviderFacts, TaskFacts } from "./facts.ts";

export interface Refusal {
  rule: string;
  why: string;
  /** What a caller is told who asked for this provider. */
  code: Extract<ErrorCode, "PROVIDER_NOT_SUITABLE" | "PROVIDER_UNAVAILABLE" | "BUDGET_EXCEEDED">;
}

type Standing = (provider: ProviderFacts, expectedUsd: number) => Refusal | null;

const refusal = (code: Refusal["code"], rule: string, why: string): Refusal => ({ rule, why, code });
const unsuitable = (rule: string, why: string) => refusal("PROVIDER_NOT_SUITABLE", rule, why);
const unavailable = (rule: string, why: string) => refusal("PROVIDER_UNAVAILABLE", rule, why);
const overBudget = (rule: string, why: string) => refusal("BUDGET_EXCEEDED", rule, why);

/** What a provider works on must be there. */
const needs = ({ branchMissing, workspace, fit }: TaskFacts, { definition }: ProviderFacts): Refusal | null => {
  const { title, needs: need } = definition;
  switch (need) {
    case "github-branch": {
      return branchMissing === null
        ? null
        : unsuitable("github-branch", `${title} works on a repository's branch on GitHub, and ${branchMissing}`);
    }
    case "workspace": {
      if ("missing" in workspace)
        return unsuitable("workspace", `${title} works in a workspace, and ${workspace.missing}`);
      return workspace.files === 0
        ? unsuitable("workspace", `${title} is for incremental work, and the workspace is empty`)
        : null;
    }
    case "files": {
      if ("missing" in workspace)
        return unsuitable("workspace", `its files are a workspace's, and ${workspace.missing}`);
      return "tooMuch" in fit ? unsuitable("files-fit", `${title} is shown the files whole, and ${fit.tooMuch}`) : null;
    }
  }
};

const enabled: Standing = ({ definition: { enabled: is, title } }) =>
  is ? null : unsuitable("enabled", `${title} is switched off`);

const key: Standing = ({ keyPresent, definition: { secret, title } }) =>
  keyPresent ? null : unsuitable("key", `${title} has no key: ${secret} is not set`);

const breaker: Standing = ({ breaker: { state, reason, until }, probing, definition: { title } }) => {
  if (state === "closed" || (state === "half-open" && !probing)) return null;
  if (state === "half-open") return unavailable("breaker", `${title} is being tried out after ${reason ?? "failures"}`);
  const end = until === null ? "until its key changes" : `until ${until}`;
  return unavailable("breaker", `${title} is closed after ${reason ?? "failures"}, ${end}`);
};

const concurrency: Standing = ({ running, definition: { concurrency: places, title } }) =>
  running < places ? null : unavailable("concurrency", `all ${places} places of ${title} are taken`);

const budget: Standing = ({ budget: { unit, limit, spent, reserved }, definition: { title } }, expectedUsd) =>
  limit === null || spent + reserved + (unit === "usd" ? expectedUsd : 1) <= limit
    ? null
    : overBudget("budget", `${title} has ${spent} ${unit} spent and ${reserved} reserved of today's ${limit}`);

const orderBudget = ({ orderBudget: order }: TaskFacts, expectedUsd: number): Refusal | null =>
  order === null || order.spent + order.reserved + expectedUsd <= order.limit
    ? null
    : overBudget(
        "order-budget",
        `the order has $${order.spent} spent and $${order.reserved} reserved of its $${order.limit}; this would be about $${expectedUsd}`,
      );

/**
 * The hard rules that a provider breaks at a task; none: it may have it. Those that waiting does not mend come first,
 * since the first is what an override is answered with. `expectedUsd` is what the attempt may cost.
 */
export const refusalsOf = (task: TaskFacts, provider: ProviderFacts, expectedUsd: number): Refusal[] =>
  [
    needs(task, provider),
    ...STANDING.map((rule) => rule(provider, expectedUsd)),
    orderBudget(task, expectedUsd),
  ].filter((refused) => refused !== null);

/** Those that hold whatever the task is. */
export const standingRefusalsOf = (provider: ProviderFacts, expectedUsd: number): Refusal[] =>
  STANDING.map((rule) => rule(provider, expectedUsd)).filter((refused) => refused !== null);

const STANDING: readonly Standing[] = [enabled, key, budget, breaker, concurrency];
