import { useQuery } from "@tanstack/react-query";
import { type Health, healthQuery } from "../api/queries.ts";
import { cn } from "../lib/cn.ts";
import { count, duration } from "../lib/format.ts";
import { useStream } from "../stream/store.ts";
import { Popover, PopoverContent, PopoverTrigger } from "./ui/controls.tsx";

interface Part {
  name: string;
  /** Null: not known, as nothing answers or the part does not exist yet. */
  ok: boolean | null;
  detail: string;
}

/** The parts a reader knows; the databases are one of them. */
function partsOf(health: Health | undefined, reachable: boolean): Part[] {
  const of = (name: string, pick: (component: string) => boolean): Part => {
    const components = Object.entries(health?.components ?? {}).filter(([component]) => pick(component));
    if (!reachable || components.length === 0)
      return { name, ok: null, detail: reachable ? "not reported" : "unknown" };
    const failing = components.filter(([, { ok }]) => !ok).map(([component]) => component);
    const slowest = Math.max(...components.map(([, { durationMs = 0 }]) => durationMs));
    return failing.length > 0
      ? { name, ok: false, detail: failing.length === components.length ? "down" : `${failing.join(", ")} down` }
      : { name, ok: true, detail: duration(slowest) };
  };
  return [
    of("Engine", (name) => name.startsWith("engine")),
    of("D1", (name) => name.startsWith("db")),
    of("Hub", (name) => name === "hub"),
    of("Queue", (name) => name.startsWith("queue")),
  ];
}

function PartMark({ ok }: { ok: boolean | null }) {
  return (
    <svg
      viewBox="0 0 12 12"
      className={cn("size-2.5 shrink-0", ok === null ? "text-ink-3" : ok ? "text-applied" : "text-failed")}
      aria-hidden
    >
      {ok === null ? (
        <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.500" strokeDasharray="2 1.600" />
      ) : ok ? (
        <circle cx="6" cy="6" r="4" fill="currentColor" />
      ) : (
        <path d="M6 .800 11.600 11H.400z" fill="currentColor" />
      )}
    </svg>
  );
}

const stateWord = (ok: boolean | null): string => (ok === null ? "unknown" : ok ? "up" : "down");

function Parts({ parts, className }: { parts: readonly Part[]; className?: string }) {
  return (
    <ul className={className} aria-label="Health of the parts">
      {parts.map((part) => (
        <li key={part.name} className="flex items-center gap-1.5 whitespace-nowrap">
          <PartMark ok={part.ok} />
          <span className="font-medium text-ink-2">{part.name}</span>
          <span className="sr-only">{stateWord(part.ok)}</span>
          <span className={cn("nums", part.ok === false ? "text-failed" : "text-ink-3")}>{part.detail}</span>
        </li>
      ))}
    </ul>
  );
}

function useHealth(): { parts: Part[]; health: Health | undefined; worst: boolean | null } {
  const { data: health, isError } = useQuery(healthQuery);
  const parts = partsOf(health, !isError && health !== undefined);
  const worst = parts.some(({ ok }) => ok === false) ? false : isError || health === undefined ? null : true;
  return { parts, health, worst };
}

/** What everything stands on, along the foot of the page. */
export function HealthStrip() {
  const { parts, health } = useHealth();
  const offset = useStream((state) => state.offset);
  const received = useStream((state) => state.received);
  return (
    <footer className="hidden h-7 shrink-0 items-center justify-between gap-6 border-t border-line bg-sunken px-4 text-2xs text-ink-3 md:flex">
      <Parts parts={parts} className="flex items-center gap-5" />
      <div className="nums flex items-center gap-4 whitespace-nowrap">
        {received > 0 ? <span>{count(received)} events since you came</span> : null}
        {offset === null ? null : <span>offset {count(offset)}</span>}
        {health?.instance ? <span>{health.instance}</span> : null}
        {health?.version ? <span>v{health.version}</span> : null}
      </div>
    </footer>
  );
}

/** The same for narrow screens: one mark that opens the list. */
export function HealthButton() {
  const { parts, worst } = useHealth();
  return (
    <Popover>
      <PopoverTrigger
        className="flex h-8 items-center gap-1.5 rounded-md px-2 text-xs text-ink-2 hover:bg-hover md:hidden"
        aria-label={`Health: ${worst === null ? "unknown" : worst ? "all parts up" : "a part is down"}`}
      >
        <PartMark ok={worst} />
        <span className="hidden sm:inline">Health</span>
      </PopoverTrigger>
      <PopoverContent align="end">
        <Parts parts={parts} className="flex flex-col gap-2 text-xs" />
      </PopoverContent>
    </Popover>
  );
}
