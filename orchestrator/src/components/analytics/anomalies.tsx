import type { Anomalies, Anomaly } from "@shared/contracts";
import { TrendingDown, TrendingUp, TriangleAlert, Waves } from "lucide-react";
import { brief, dayLabel, duration, percent } from "../../lib/format.ts";
import { Empty } from "../ui/surface.tsx";

const METRICS: Record<Anomaly["metric"], { name: string; shown: (value: number) => string }> = {
  total: { name: "Patches a day", shown: brief },
  failure_rate: { name: "Failure rate", shown: (value) => percent(value) },
  duration: { name: "Time to apply", shown: duration },
};
const KINDS: Record<Anomaly["kind"], string> = {
  spike: "spike",
  drop: "drop",
  drift_up: "drifts up",
  drift_down: "drifts down",
};

/** What stands out, and by what measure. */
export function AnomalyList({ anomalies }: { anomalies: Anomalies }) {
  const { found, status, method, window } = anomalies;
  return (
    <>
      {status === "not enough history" ? (
        <Empty className="py-8" icon={<Waves />} title="Not enough history">
          {window.history_from === null
            ? "Nothing is on record yet."
            : `The record begins ${dayLabel(window.history_from)}; a day is judged by ${window.min_days} of the same weekday before it.`}
        </Empty>
      ) : found.length === 0 ? (
        <Empty className="py-8" icon={<Waves />} title="Nothing stands out">
          {window.judged_days} days were judged.
        </Empty>
      ) : (
        <ul className="max-h-80 overflow-y-auto" tabIndex={0} aria-label="Anomalies">
          {found.toReversed().map((anomaly) => {
            const { name, shown } = METRICS[anomaly.metric];
            const up = anomaly.kind === "spike" || anomaly.kind === "drift_up";
            const Icon = up ? TrendingUp : TrendingDown;
            return (
              <li
                key={`${anomaly.metric}${anomaly.kind}${anomaly.from}`}
                className="flex items-center gap-3 border-b border-line px-4 py-2 last:border-0"
              >
                <Icon className="size-4 shrink-0 text-validating" aria-hidden />
                <span className="min-w-0 flex-1">
                  <span className="block truncate">
                    {name} <span className="text-ink-2">{KINDS[anomaly.kind]}</span>
                  </span>
                  <span className="nums block text-xs text-ink-3">
                    {shown(anomaly.value)}, expected {shown(anomaly.expected)}
                  </span>
                </span>
                <span className="nums shrink-0 text-right text-xs text-ink-3">
                  {dayLabel(anomaly.from)}
                  {anomaly.to === anomaly.from ? "" : ` – ${dayLabel(anomaly.to)}`}
                  <span className="block">{Math.abs(anomaly.score).toFixed(1)}σ</span>
                </span>
              </li>
            );
          })}
        </ul>
      )}
      <p className="flex gap-2 border-t border-line px-4 py-2.5 text-xs text-ink-3">
        <TriangleAlert className="mt-0.5 size-3 shrink-0" aria-hidden />
        Judged by {method}.
      </p>
    </>
  );
}
