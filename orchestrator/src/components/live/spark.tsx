/** Events in each of the last sixty seconds, as bars; the number beside it says the present rate. */
export function Spark({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values);
  const recent = values.slice(-5);
  const rate = recent.reduce((sum, value) => sum + value, 0) / recent.length;
  return (
    <span className="flex items-center gap-2 text-xs text-ink-3" title="Events a second over the last minute">
      <svg viewBox={`0 0 ${values.length * 2} 16`} className="h-4 w-24" preserveAspectRatio="none" aria-hidden>
        {values.map((value, second) => (
          <rect
            key={second}
            x={second * 2}
            y={16 - Math.max(value > 0 ? 1.5 : 0.5, (value / most) * 16)}
            width={1.3}
            height={16}
            className={value > 0 ? "fill-accent-ink" : "fill-line-strong"}
          />
        ))}
      </svg>
      <span className="nums w-14 whitespace-nowrap">{rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s</span>
    </span>
  );
}
