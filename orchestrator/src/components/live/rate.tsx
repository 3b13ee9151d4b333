import { lazy, Suspense, useState } from "react";
import { plural } from "../../lib/format.ts";
import { useStream } from "../../stream/store.ts";

const RateChart = lazy(() => import("./rateChart.tsx"));

/** Seconds over which the present rate is taken. */
const RECENT = 5;

/** Events in each of the last sixty seconds, and beside them the present rate or the second that is pointed at. */
export function Rate() {
  const values = useStream((state) => state.rate);
  const [looked, setLooked] = useState<number | null>(null);
  const rate = values.slice(-RECENT).reduce((sum, value) => sum + value, 0) / RECENT;
  const there = looked === null ? undefined : values[looked];
  return (
    <span
      className="flex items-center gap-2 text-xs text-ink-3"
      title="Events in each second of the last minute"
      data-testid="rate"
    >
      <span className="block h-6 w-28 border-b border-line-strong xl:w-40">
        <Suspense>
          <RateChart values={values} onLook={setLooked} />
        </Suspense>
      </span>
      <span className="nums w-16 whitespace-nowrap">
        {there === undefined ? `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s` : plural(there, "event")}
      </span>
    </span>
  );
}
