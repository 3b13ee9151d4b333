import type { Attempt, ExecutionDetail } from "@shared/contracts";
import { CornerDownRight } from "lucide-react";
import { cn } from "../../lib/cn.ts";
import { brief, duration, instant, timeOfDay, usd } from "../../lib/format.ts";
import { lookOf } from "../../stream/status.ts";
import { StatusMark } from "../status.tsx";
import { fellBackFrom, spanOf } from "./view.tsx";

/** How an attempt stands as one status: its class once it has ended. */
const statusOf = (attempt: Attempt): string => (attempt.status === "running" ? "running" : (attempt.class ?? "failed"));

/** The attempts in their order: who tried, how it ended, and who was tried next. */
export function Attempts({
  execution,
  selected,
  onSelect,
}: {
  execution: ExecutionDetail;
  selected: number | undefined;
  onSelect: (attempt: number) => void;
}) {
  const { attempt_list: attempts, race } = execution;
  if (attempts.length === 0)
    return (
      <p className="px-4 pb-4 text-ink-3">
        {execution.status === "queued" ? "Nobody has tried yet: it waits for its turn." : "No attempt was begun."}
      </p>
    );
  return (
    <ol className="relative px-2 pb-2" aria-label="Attempts">
      {attempts.map((attempt) => {
        const status = statusOf(attempt);
        const look = lookOf(status);
        const before = fellBackFrom(attempt, attempts, race);
        const { usage } = attempt;
        return (
          <li key={attempt.attempt} className="relative">
            {before ? (
              <p className="flex items-center gap-1.5 py-1 pl-9 text-2xs text-ink-3">
                <CornerDownRight className="size-3" aria-hidden />
                fell back from {before.provider_name}
              </p>
            ) : null}
            <button
              type="button"
              data-attempt={attempt.attempt}
              aria-current={attempt.attempt === selected ? "true" : undefined}
              onClick={() => onSelect(attempt.attempt)}
              className={cn(
                "flex w-full gap-2.5 rounded-md px-2 py-2 text-left",
                attempt.attempt === selected ? "bg-accent-soft" : "hover:bg-hover",
              )}
            >
              <StatusMark status={status} silent className="mt-0.5" />
              <span className="min-w-0 flex-1">
                <span className="flex items-baseline justify-between gap-2">
                  <span className="min-w-0 truncate">
                    <span className="nums text-ink-3">{attempt.attempt}.</span>{" "}
                    <span className="font-medium">{attempt.provider_name}</span>
                  </span>
                  <span className={cn("shrink-0 text-xs font-medium", look.text)} title={look.meaning}>
                    {look.word}
                  </span>
                </span>
                {attempt.model ? (
                  <span className="block truncate font-mono text-2xs text-ink-3">{attempt.model}</span>
                ) : null}
                {attempt.message ? (
                  <span className="mt-0.5 line-clamp-3 break-words text-xs text-ink-2">{attempt.message}</span>
                ) : null}
                {attempt.error ? (
                  <span className="mt-0.5 block break-words text-xs text-failed">
                    <span className="font-mono">{attempt.error.code}</span>
                    {attempt.error.file ? <span className="text-ink-2"> in {attempt.error.file}</span> : null}
                  </span>
                ) : null}
                <span className="nums mt-1 flex flex-wrap gap-x-3 text-2xs text-ink-3">
                  <span>{timeOfDay(instant(attempt.started_at))}</span>
                  <span>{duration(spanOf(attempt.started_at, attempt.finished_at, attempt.duration_ms))}</span>
                  {usage.costUsd === null ? null : <span>{usd(usage.costUsd)}</span>}
                  {usage.inputTokens === null && usage.outputTokens === null ? null : (
                    <span>
                      {brief(usage.inputTokens ?? 0)} in, {brief(usage.outputTokens ?? 0)} out
                      {usage.cachedTokens ? `, ${brief(usage.cachedTokens)} cached` : ""}
                    </span>
                  )}
                </span>
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
