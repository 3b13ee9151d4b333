import { cn } from "../../lib/cn.ts";

const LOOKS: Record<number, { word: string; look: string }> = {
  1: { word: "Critical", look: "bg-failed-soft text-failed" },
  2: { word: "Grave", look: "bg-failed-soft text-failed" },
  3: { word: "Moderate", look: "bg-validating-soft text-validating" },
  4: { word: "Minor", look: "bg-hover text-ink-2" },
  5: { word: "Slight", look: "bg-hover text-ink-2" },
};
export const SEVERITIES = [1, 2, 3, 4, 5] as const;
export const severityWord = (severity: number): string => LOOKS[severity]?.word ?? "Unknown";

/** How grave an issue is: five bars, the more the graver, and its number, 1 being the gravest. */
export function OpsSeverity({ severity, word = false }: { severity: number; word?: boolean }) {
  const name = severityWord(severity);
  return (
    <span
      title={`Severity ${severity} of 5: ${name.toLowerCase()}`}
      className={cn(
        "inline-flex h-5 shrink-0 items-center gap-1.5 rounded px-1.5 text-2xs font-semibold whitespace-nowrap",
        LOOKS[severity]?.look,
      )}
    >
      <svg viewBox="0 0 14 10" className="h-2.5 w-3.5" aria-hidden>
        {SEVERITIES.map((bar) => (
          <rect
            key={bar}
            x={(bar - 1) * 3}
            y={8 - bar * 1.6}
            width="2"
            height={2 + bar * 1.6}
            rx="0.5"
            fill="currentColor"
            opacity={bar <= 6 - severity ? 1 : 0.25}
          />
        ))}
      </svg>
      <span className="sr-only">Severity </span>
      <span className="nums">{severity}</span>
      {word ? <span className="font-medium">{name}</span> : <span className="sr-only">{name}</span>}
    </span>
  );
}
