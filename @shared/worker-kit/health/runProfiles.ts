import type {
  ExecuteHealthCheck,
  HealthDetail,
  HealthFault,
  HealthProfile,
  HealthResult,
  ProfileResult,
} from "@shared/contracts";
import { type Profile, type WorkerHealth } from "./profiles.ts";
import { type Clock, retrying, type Tried, within } from "./retrying.ts";

/** So much of an attempt's time is left over, for the parts of a profile to say what they were waiting for. */
const SLACK_MS = 50;

/**
 * Runs the profiles of a check side by side, and those that failed again, as often as the check allows. A profile that
 * the Worker does not have is skipped. Answers with the result as its callback takes it; never throws.
 */
export async function runProfiles(
  health: WorkerHealth,
  check: ExecuteHealthCheck,
  options: { clock: Clock; mintId: () => string; version: HealthResult["version"] },
): Promise<HealthResult> {
  const { clock, mintId, version } = options;
  const started = clock.now();
  const results = new Map<HealthProfile, ProfileResult>();
  const wanted: { name: HealthProfile; profile: Profile }[] = [];
  for (const name of new Set(check.profiles)) {
    const profile = health.profiles[name];
    if (profile) wanted.push({ name, profile });
    else results.set(name, skipped(name, `${health.worker} has no ${name}`));
  }
  const attemptOnce = async (attempt: number, signal: AbortSignal): Promise<Tried<null>> => {
    const due = wanted.filter(({ name }) => results.get(name)?.status !== "passed");
    await Promise.all(
      due.map(async ({ name, profile }) => {
        const at = clock.now().getTime();
        const outcome = await within(clock, Math.max(1, check.timeout_ms - SLACK_MS), (own) =>
          lookAt(profile, { clock, mintId, signal: AbortSignal.any([signal, own]) }),
        );
        const found = outcome.late
          ? {
              details: [],
              fault: { code: "PROFILE_TIMEOUT" as const, message: `${name} took over ${check.timeout_ms} ms` },
            }
          : outcome.value;
        const durationMs = Math.max(0, clock.now().getTime() - at);
        results.set(name, resultOf(name, attempt, durationMs, found));
      }),
    );
    return { value: null, fault: firstFault(check.profiles, results) };
  };
  const policy = { timeoutMs: check.timeout_ms, maxRetries: check.max_retries };
  const { attempts } = await retrying(clock, policy, attemptOnce, () => ({
    value: null,
    fault: firstFault(check.profiles, results) ?? {
      code: "PROFILE_TIMEOUT",
      message: `an attempt took over ${check.timeout_ms} ms`,
    },
  }));
  const finished = clock.now();
  return {
    worker_check_uuid: check.worker_check_uuid,
    worker: health.worker,
    worker_type: health.type,
    version,
    nonce: check.nonce,
    status: attempts.at(-1)?.status === "passed" ? "passed" : "failed",
    attempts,
    results: [...results.values()],
    started_at: started.toISOString(),
    finished_at: finished.toISOString(),
    duration_ms: Math.max(0, finished.getTime() - started.getTime()),
  };
}

interface Found {
  details: HealthDetail[];
  fault: { code: HealthFault; message: string | null } | null;
}

async function lookAt(profile: Profile, context: Parameters<Profile>[0]): Promise<Found> {
  try {
    const details = await profile(context);
    const wrong = details.find(({ ok }) => !ok);
    return { details, fault: wrong?.code ? { code: wrong.code, message: wrong.message } : null };
  } catch (error) {
    const name = error instanceof Error ? error.name : "something that is no error";
    return { details: [], fault: { code: "PROFILE_THREW", message: `the profile threw ${name}` } };
  }
}

const skipped = (profile: HealthProfile, message: string): ProfileResult => ({
  profile,
  status: "skipped",
  code: null,
  message,
  details: [],
  attempt: 1,
  duration_ms: 0,
});

const resultOf = (profile: HealthProfile, attempt: number, durationMs: number, found: Found): ProfileResult => ({
  profile,
  status: found.fault === null ? "passed" : "failed",
  code: found.fault?.code ?? null,
  message: found.fault?.message ?? null,
  details: found.details.slice(0, 40),
  attempt,
  duration_ms: durationMs,
});

/** In the order that was asked for: what a profile stands on is asked for before it. */
function firstFault(order: readonly HealthProfile[], results: ReadonlyMap<HealthProfile, ProfileResult>) {
  for (const name of order) {
    const result = results.get(name);
    if (result?.status === "failed" && result.code !== null) return { code: result.code, message: result.message };
  }
  return null;
}
