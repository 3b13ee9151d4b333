import type { HealthAttempt, ProfileResult, WorkerCheckDetail } from "@shared/contracts";
import { duration, instant, moment, plural, timeOfDay } from "../../lib/format.ts";
import { StatusMark, StatusTag } from "../status.tsx";

function Attempts({ title, attempts }: { title: string; attempts: readonly HealthAttempt[] }) {
  if (attempts.length === 0) return null;
  return (
    <section>
      <h4 className="label mb-1">{title}</h4>
      <ol className="space-y-1">
        {attempts.map((attempt) => (
          <li key={attempt.attempt} className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5 text-xs">
            <span className="self-center">
              <StatusMark status={attempt.status} className="size-3" />
            </span>
            <span className="nums w-4 text-ink-3">{attempt.attempt}.</span>
            <span className="nums text-ink-2">{timeOfDay(instant(attempt.started_at))}</span>
            <span className="nums text-ink-2">{duration(attempt.duration_ms)}</span>
            {attempt.waited_ms > 0 ? (
              <span className="nums text-ink-3">after a wait of {duration(attempt.waited_ms)}</span>
            ) : null}
            {attempt.code === null ? null : <span className="font-mono text-failed">{attempt.code}</span>}
            {attempt.message === null ? null : (
              <span className="min-w-0 break-words text-ink-2">{attempt.message}</span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Profile({ result }: { result: ProfileResult }) {
  return (
    <li className="border-b border-line px-3 py-2 last:border-0">
      <div className="flex items-center gap-2 text-sm">
        <StatusMark status={result.status} />
        <span className="font-medium">{result.profile}</span>
        {result.code === null ? null : <span className="font-mono text-xs text-failed">{result.code}</span>}
        <span className="nums ml-auto text-xs text-ink-3">
          {result.status === "skipped" ? "skipped" : duration(result.duration_ms)}
          {result.attempt > 1 ? ` · attempt ${result.attempt}` : ""}
        </span>
      </div>
      {result.message === null ? null : (
        <p className="mt-0.5 break-words pl-5.5 text-xs text-ink-2">{result.message}</p>
      )}
      {result.details.length === 0 ? null : (
        <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 pl-5.5">
          {result.details.map((detail) => (
            <li key={detail.name} className="flex items-center gap-1.5 text-xs text-ink-3">
              <StatusMark status={detail.ok ? "passed" : "failed"} className="size-2.5" />
              <span className="font-mono text-2xs">{detail.name}</span>
              <span className="nums">{duration(detail.duration_ms)}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** What one Worker said in a check: what was found, part by part, and how it came to that. */
export function Findings({ check }: { check: WorkerCheckDetail }) {
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-3">
        <StatusTag status={check.status} />
        {check.code === null ? null : <span className="font-mono text-failed">{check.code}</span>}
        {check.finished_at === null ? <span>under way</span> : <span>{moment(check.finished_at)}</span>}
        {check.duration_ms === null ? null : <span className="nums">{duration(check.duration_ms)}</span>}
        {check.version === null ? null : (
          <span className="font-mono" title={check.version.id}>
            version {check.version.tag || check.version.id.slice(0, 8)}
          </span>
        )}
      </div>
      {check.message === null ? null : <p className="break-words text-sm">{check.message}</p>}
      {check.results.length === 0 ? null : (
        <ul aria-label="Profiles" className="rounded-md border border-line bg-surface">
          {check.results.map((result) => (
            <Profile key={result.profile} result={result} />
          ))}
        </ul>
      )}
      <Attempts title={`Reached in ${plural(check.dispatches.length, "attempt")}`} attempts={check.dispatches} />
      <Attempts title={`Checked in ${plural(check.attempts.length, "attempt")}`} attempts={check.attempts} />
    </div>
  );
}
