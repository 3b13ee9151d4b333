import { useQuery } from "@tanstack/react-query";
import { client, need } from "../api/client.ts";
import { cn } from "../lib/cn.ts";
import { brief } from "../lib/format.ts";
import { type Connection, useStream } from "../stream/store.ts";
import { Tooltip } from "./ui/controls.tsx";

const WORDS: Record<Connection, { word: string; meaning: string }> = {
  idle: { word: "Offline", meaning: "Not joined." },
  connecting: { word: "Connecting", meaning: "Joining the stream." },
  open: { word: "Live", meaning: "Every event is shown as it happens." },
  waiting: { word: "Reconnecting", meaning: "The stream was lost. It goes on from where it stopped, without a hole." },
  "signed-out": { word: "Signed out", meaning: "The session or its token has ended; sign in again." },
  closed: { word: "Offline", meaning: "The stream has ended; reload to join again." },
};

function ConnectionMark({ state }: { state: Connection }) {
  if (state === "open")
    return (
      <svg viewBox="0 0 12 12" className="size-2.5 text-applied" aria-hidden>
        <circle cx="6" cy="6" r="4" fill="currentColor" />
      </svg>
    );
  const waiting = state === "connecting" || state === "waiting";
  return (
    <svg viewBox="0 0 12 12" className={cn("size-2.5", waiting ? "text-validating" : "text-failed")} aria-hidden>
      {waiting ? (
        <circle
          cx="6"
          cy="6"
          r="4.200"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.800"
          strokeDasharray="4 2.600"
        />
      ) : (
        <path d="M2 2l8 8M10 2l-8 8" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
      )}
    </svg>
  );
}

/** Whether what is shown is what happens now. */
export function ConnectionState() {
  const state = useStream(({ connection }) => connection);
  const { word, meaning } = WORDS[state];
  return (
    <Tooltip content={meaning}>
      <span
        role="status"
        data-connection={state}
        tabIndex={0}
        className="flex h-7 items-center gap-1.5 rounded-md px-1.5 text-xs font-medium text-ink-2"
      >
        <ConnectionMark state={state} />
        {word}
      </span>
    </Tooltip>
  );
}

/** Patches asked for since midnight UTC: as counted by the server, and what has come in since it counted. */
export function TodayTotal() {
  const today = new Date().toISOString().slice(0, 10);
  const { data } = useQuery({
    queryKey: ["today", today],
    queryFn: async ({ signal }) => {
      const mark = useStream.getState().requested;
      const stats = await need(client.patches.stats({ from: today, to: today }, { signal }));
      return { total: stats.totals.total, mark };
    },
    refetchInterval: 30_000,
  });
  const requested = useStream((state) => state.requested);
  const total = data ? data.total + Math.max(0, requested - data.mark) : null;
  return (
    <Tooltip content="Patches asked for today, since midnight UTC">
      <span tabIndex={0} className="flex items-baseline gap-1.5 rounded-md px-1.5 text-xs text-ink-3">
        <span className="nums text-sm font-semibold text-ink">{total === null ? "–" : brief(total)}</span>
        today
      </span>
    </Tooltip>
  );
}
