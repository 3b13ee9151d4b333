import {
  ERROR_STATUS,
  type ErrorCode,
  type HealthDetail,
  type HealthFault,
  type HealthProfile,
  type Result,
  type WorkerType,
} from "@shared/contracts";
import type { Clock } from "./retrying.ts";
import { within } from "./retrying.ts";

/** What a profile may use while it looks. */
export interface ProfileContext {
  clock: Clock;
  mintId: () => string;
  /** Aborted when the attempt's time is over. */
  signal: AbortSignal;
}

/** Looks at one thing of the Worker, part by part. What it throws is a fault of its own, PROFILE_THREW. */
export type Profile = (context: ProfileContext) => Promise<HealthDetail[]>;

/** What a Worker is, and what it can be tested for. */
export interface WorkerHealth {
  worker: string;
  type: WorkerType;
  profiles: Partial<Record<HealthProfile, Profile>>;
}

/** How long one part may take before it counts as not answering. */
export const PART_TIMEOUT_MS = 5_000;

/** A text fit to be told: one line of at most 300 characters. */
export const line = (text: string): string => text.replaceAll(/\s+/g, " ").trim().slice(0, 300);

export interface PartFaults {
  failed: HealthFault;
  late: HealthFault;
}

/** Looks at one part: `look` answers null where all is well, else what is wrong; what it throws is wrong as well. */
export async function part(
  { clock }: Pick<ProfileContext, "clock">,
  name: string,
  faults: PartFaults,
  look: (signal: AbortSignal) => Promise<string | null>,
  timeoutMs: number = PART_TIMEOUT_MS,
): Promise<HealthDetail> {
  const started = clock.now().getTime();
  let code: HealthFault | null = null;
  let message: string | null = null;
  try {
    const outcome = await within(clock, timeoutMs, look);
    if (outcome.late) {
      code = faults.late;
      message = `${name} did not answer within ${timeoutMs} ms`;
    } else if (outcome.value !== null) {
      code = faults.failed;
      message = line(outcome.value);
    }
  } catch (error) {
    code = faults.failed;
    // The name alone: what was thrown can hold addresses and queries.
    message = `${name} threw ${error instanceof Error ? error.name : "something that is no error"}`;
  }
  return { name, ok: code === null, code, message, duration_ms: Math.max(0, clock.now().getTime() - started) };
}

/** How a binding is asked whether it answers: any answer of its own counts, also that it has not found something. */
export interface BindingCheck {
  name: string;
  /** Absent from the environment: the binding is missing. */
  bound: unknown;
  ask: () => Promise<Result<object> | true>;
  /** What is asked for is there where all is well: that it was not found is a fault, too. */
  mustFind?: boolean;
}

/** The binding itself is well where it says that something behind it is not: that has a profile of its own. */
const BEHIND_IT: ReadonlySet<ErrorCode> = new Set(["DATABASE_UNAVAILABLE", "ENGINE_UNAVAILABLE", "ENGINE_TIMEOUT"]);
/** Or that there is nothing by the name that was asked for, whichever verb says so. */
const isAnswer = (code: ErrorCode): boolean => BEHIND_IT.has(code) || ERROR_STATUS[code] === 404;

/** Whether each binding the Worker works with is there and answers. */
export const bindingsProfile =
  (checks: readonly BindingCheck[]): Profile =>
  (context) =>
    Promise.all(
      checks.map(async ({ name, bound, ask, mustFind = false }): Promise<HealthDetail> => {
        if (bound === undefined || bound === null) {
          const message = `the binding ${name} is not configured`;
          return { name, ok: false, code: "BINDING_MISSING", message, duration_ms: 0 };
        }
        return part(context, name, { failed: "BINDING_FAILED", late: "BINDING_TIMEOUT" }, async () => {
          const answer = await ask();
          if (answer === true || answer.ok || (!mustFind && isAnswer(answer.error.code))) return null;
          return `${name} answers ${answer.error.code}`;
        });
      }),
    );

/** What an environment says of its Worker. */
export interface IdentityEnv {
  WORKER_NAME?: string;
  WORKER_TYPE?: string;
  CF_VERSION_METADATA?: { id: string; tag: string; timestamp: string };
}

const identityDetail = (name: string, message: string | null): HealthDetail => ({
  name,
  ok: message === null,
  code: message === null ? null : "IDENTITY_WRONG",
  message,
  duration_ms: 0,
});
const said = (given: string | undefined): string => (given === undefined ? "not set" : JSON.stringify(given));

/** Whether the environment names this Worker, its type and its version. */
export const identityProfile =
  (env: IdentityEnv, { worker, type }: Pick<WorkerHealth, "worker" | "type">): Profile =>
  async () => {
    return [
      identityDetail(
        "WORKER_NAME",
        env.WORKER_NAME === worker ? null : line(`is ${said(env.WORKER_NAME)}, not ${worker}`),
      ),
      identityDetail("WORKER_TYPE", env.WORKER_TYPE === type ? null : line(`is ${said(env.WORKER_TYPE)}, not ${type}`)),
      identityDetail("CF_VERSION_METADATA", env.CF_VERSION_METADATA ? null : "the version is not bound"),
    ];
  };
