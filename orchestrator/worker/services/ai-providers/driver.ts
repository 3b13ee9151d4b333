import type { Head, Order, ProviderDefinition, RunClass, Task, Usage } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";

/** One attempt of an execution, as its provider's driver is given it. */
export interface ProviderRun {
  executionId: string;
  /** From 1. */
  attempt: number;
  /** `<executionId>.<attempt>`: asked for twice under it, it is one run. */
  runId: string;
  task: Task;
  order: Order | null;
  workspaceId: string;
  provider: ProviderDefinition;
  model: string;
  prompt: string;
  timeoutMs: number;
  maxCostUsd: number | null;
  /** What the attempt started from. */
  head: Head;
  /** The project's repository as `owner/name`, and the order's branch, where there are any. */
  repository: string | null;
  branch: string | null;
  /** A plan is shown to a person before the provider works on. */
  approvePlan: boolean;
  /** Looked up anew for every call: it is stored nowhere. */
  apiKey: string;
}

/** A provider's change in the form it answered in. */
export interface ProviderChange {
  format: "udiff" | "search-replace" | "files" | "apply-patch";
  text: string;
  baseCommit?: string;
}

/** How a provider's work ended, before its change is applied. */
export interface ProviderResult {
  class: RunClass;
  /** One line for people, without secrets. */
  message: string;
  /** How long the provider asked to be left alone. */
  retryAfterMs: number | null;
  /** Of class `change` alone. */
  change: ProviderChange | null;
  usage: Usage;
  /** What it said last. */
  summary: string | null;
  cliVersion: string | null;
  baseCommit: string | null;
}

/** A run that was started, or found. One that answers at once has its result already. */
export type Begun = { externalId: string | null; cursor: string; result: ProviderResult | null };

/** Thrown by `begin` where nothing was started, for a reason that passes by itself and is not the provider's. */
export class NotBegunError extends Error {
  override name = "NotBegunError";
}

/** How far a run is. A `question` holds it up until it is answered. */
export type Polled =
  | { done: true; result: ProviderResult }
  | {
      done: false;
      cursor: string;
      /** How long to leave it alone before the next poll. */
      waitMs: number;
      question?: { kind: "plan-approval" | "clarification"; text: string };
    };

/** A change a provider answers with is at most this many bytes: it becomes one value of a row and of a step. */
export const MAX_CHANGE_BYTES = 900_000;

/**
 * How one kind of provider is worked with. Every method is safe to call again after a crash: `begin` with a `runId` it
 * was given before never starts a second run; `isAgain` says that it was, and that what came of it is not known. A method
 * throws only where nothing was learned (its provider could not be reached, and that may pass), and `begin` also where
 * it is not yet the run's turn; what a provider answered is a `ProviderResult` with its class.
 */
export interface ProviderDriver {
  begin(ctx: ServiceContext, run: ProviderRun, isAgain: boolean): Promise<Begun>;
  /** `begun` holds the last `cursor` there was. */
  poll(ctx: ServiceContext, run: ProviderRun, begun: Pick<Begun, "externalId" | "cursor">): Promise<Polled>;
  answer?(
    ctx: ServiceContext,
    run: ProviderRun,
    externalId: string | null,
    kind: "plan-approval" | "clarification",
    text: string,
  ): Promise<void>;
  /** Ends the run, where it is not over. */
  cancel(ctx: ServiceContext, run: ProviderRun, externalId: string | null): Promise<void>;
  /** Whether a probe costs nothing. One that does is made when a person asks for it, and never by the clock. */
  readonly probeIsFree: boolean;
  probe(
    ctx: ServiceContext,
    provider: ProviderDefinition,
    apiKey: string,
  ): Promise<{ state: "ok" | "failing"; class: RunClass | null; message: string }>;
}
