import type { Breaker, ProviderStatus } from "@shared/contracts";
import { KeyRound } from "lucide-react";
import { cn } from "../../lib/cn.ts";
import { ago, count, instant, moment, until, usd } from "../../lib/format.ts";
import { StatusMark } from "../status.tsx";

export const BREAKER_REASONS: Record<NonNullable<Breaker["reason"]>, string> = {
  "rate-limited": "rate limited",
  quota: "quota used up",
  auth: "key refused",
  "empty-diff": "changes nothing",
  failures: "fails again and again",
};

type Standing = "available" | "disabled" | "no key" | "closed off" | "busy";
/** The one word for whether it takes work, gravest first. */
export function standingOf(status: ProviderStatus): Standing {
  if (!status.provider.enabled) return "disabled";
  if (!status.keyPresent) return "no key";
  if (status.breaker.state === "open") return "closed off";
  return status.available ? "available" : "busy";
}

const STANDINGS: Record<Standing, { word: string; tone: string; soft: string }> = {
  available: { word: "Available", tone: "text-applied", soft: "bg-applied-soft" },
  busy: { word: "Takes no more", tone: "text-validating", soft: "bg-validating-soft" },
  "closed off": { word: "Breaker open", tone: "text-failed", soft: "bg-failed-soft" },
  "no key": { word: "No key", tone: "text-ink-2", soft: "bg-hover" },
  disabled: { word: "Disabled", tone: "text-ink-2", soft: "bg-hover" },
};

/** Closed circuit, open circuit, a hand on the switch, nothing plugged in: told without colour too. */
function Circuit({ standing }: { standing: Standing }) {
  const line = { fill: "none", stroke: "currentColor", strokeWidth: 1.6, strokeLinecap: "round" as const };
  return (
    <svg viewBox="0 0 16 16" className="size-3 shrink-0" aria-hidden>
      {standing === "available" ? (
        <>
          <path d="M1 8h14" {...line} />
          <circle cx="4.500" cy="8" r="2" fill="currentColor" />
          <circle cx="11.500" cy="8" r="2" fill="currentColor" />
        </>
      ) : standing === "closed off" ? (
        <>
          <path d="M1 11h3.500M11.500 11H15M4.500 11l5-7" {...line} />
          <circle cx="4.500" cy="11" r="2" fill="currentColor" />
          <circle cx="11.500" cy="11" r="2" fill="currentColor" />
        </>
      ) : standing === "busy" ? (
        <path d="M2 4h12M2 8h12M2 12h12" {...line} />
      ) : standing === "no key" ? (
        <>
          <circle cx="5.500" cy="8" r="3.500" {...line} strokeDasharray="2.500 2" />
          <path d="M9 8h6" {...line} strokeDasharray="2 2" />
        </>
      ) : (
        <>
          <circle cx="8" cy="8" r="6" {...line} />
          <path d="m3.800 12.200 8.400-8.400" {...line} />
        </>
      )}
    </svg>
  );
}

/** Whether the provider takes work, as shape and word. */
export function StandingTag({ status }: { status: ProviderStatus }) {
  const standing = standingOf(status);
  const { word, tone, soft } = STANDINGS[standing];
  return (
    <span
      className={cn(
        "inline-flex h-5 items-center gap-1.5 whitespace-nowrap rounded px-1.5 text-2xs font-medium",
        tone,
        soft,
      )}
    >
      <Circuit standing={standing} />
      {word}
    </span>
  );
}

/** The breaker in words: why it is open, and when it lets one try through. */
export function breakerWords({ state, reason, until: at }: Breaker): string {
  if (state === "closed") return "closed";
  const why = reason === null ? "" : `${BREAKER_REASONS[reason]}, `;
  if (state === "half-open") return `${why}one try is let through`;
  if (reason === "auth" && at === null) return `${why}until the key changes`;
  return at === null ? `${why}open` : `${why}tries again ${until(at) === "over" ? "now" : until(at)}`;
}

export function BreakerState({ breaker }: { breaker: Breaker }) {
  if (breaker.state === "closed")
    return (
      <span className="text-xs text-ink-3">
        closed
        {breaker.failures > 0
          ? `, ${count(breaker.failures)} ${breaker.failures === 1 ? "failure" : "failures"} in a row`
          : ""}
      </span>
    );
  return (
    <span
      className={cn("text-xs", breaker.state === "open" ? "text-failed" : "text-validating")}
      title={breaker.until === null ? undefined : moment(breaker.until)}
    >
      {breakerWords(breaker)}
    </span>
  );
}

export function HealthState({ health }: { health: ProviderStatus["health"] }) {
  return (
    <span className="flex min-w-0 items-center gap-1.5 text-xs" title={health.message ?? undefined}>
      <StatusMark status={`health:${health.state}`} silent className="size-3" />
      <span className={cn("truncate", health.state === "failing" ? "text-failed" : "text-ink-2")}>
        {health.state === "ok" ? "Answers" : health.state === "failing" ? "Failing" : "Not probed"}
        {health.checked_at === null ? null : (
          <span className="text-ink-3"> {ago(Date.now() - instant(health.checked_at))} ago</span>
        )}
      </span>
    </span>
  );
}

const amountOf = (unit: "usd" | "units", value: number): string => (unit === "usd" ? usd(value) : count(value));

/** What was spent of what may be, with what is reserved for runs under way. */
export function Spend({ budget, className }: { budget: ProviderStatus["budget"]; className?: string }) {
  const { unit, limit, spent, reserved } = budget;
  const scale = limit === null || limit === 0 ? Math.max(spent + reserved, 1) : limit;
  const part = (value: number): string => `${Math.min(100, (value / scale) * 100)}%`;
  const full = limit !== null && spent + reserved >= limit;
  return (
    <div className={cn("min-w-0", className)}>
      <p className="nums flex items-baseline justify-between gap-2 text-xs">
        <span className={cn("font-medium", full && "text-failed")}>
          {amountOf(unit, spent)} <span className="font-normal text-ink-3">today</span>
        </span>
        <span className="truncate text-ink-3">
          {limit === null ? "no limit" : `of ${amountOf(unit, limit)}`}
          {unit === "units" ? " runs" : ""}
        </span>
      </p>
      <div aria-hidden className="mt-1 flex h-1.5 overflow-hidden rounded-full bg-hover">
        {limit === null ? null : (
          <>
            <span className={full ? "bg-failed" : "bg-ink-2"} style={{ width: part(spent) }} />
            <span
              className="bg-[repeating-linear-gradient(135deg,var(--ink-3)_0_2px,transparent_2px_4px)]"
              style={{ width: part(reserved) }}
            />
          </>
        )}
      </div>
      {reserved > 0 ? (
        <p className="nums mt-0.5 truncate text-2xs text-ink-3">{amountOf(unit, reserved)} reserved</p>
      ) : null}
    </div>
  );
}

export function KeyState({ present, secret }: { present: boolean; secret: string }) {
  return (
    <span
      className={cn("inline-flex items-center gap-1 text-xs", present ? "text-ink-2" : "text-ink-3")}
      title={`${secret} is ${present ? "set" : "not set"}`}
    >
      <KeyRound className={cn("size-3", !present && "opacity-60")} aria-hidden />
      {present ? "set" : "missing"}
    </span>
  );
}
