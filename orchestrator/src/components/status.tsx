import { cn } from "../lib/cn.ts";
import { lookOf, type StatusLook } from "../stream/status.ts";

/** One shape a status, so that it is told without colour: ring, disc, double disc, octagon, arrow. */
function Shape({ tone }: { tone: StatusLook["tone"] }) {
  switch (tone) {
    case "validating":
      return (
        <>
          <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.6" strokeDasharray="2.6 2.1" />
          <circle cx="8" cy="8" r="2" fill="currentColor" />
        </>
      );
    case "applied":
      return (
        <>
          <circle cx="8" cy="8" r="6.8" fill="currentColor" />
          <path
            d="m5 8.2 2.1 2.1L11 6.2"
            fill="none"
            stroke="var(--surface)"
            strokeWidth="1.7"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </>
      );
    case "validated":
      return (
        <>
          <path d="M8 .9 14 3v4.6c0 3.5-2.4 6-6 7.5-3.600-1.500-6-4-6-7.500V3z" fill="currentColor" />
          <path
            d="m5 7.800 2.100 2.100L11 5.900"
            fill="none"
            stroke="var(--surface)"
            strokeWidth="1.7"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </>
      );
    case "failed":
      return (
        <>
          <path d="M5.200 1.200h5.600l4 4v5.600l-4 4H5.200l-4-4V5.200z" fill="currentColor" />
          <path
            d="m5.700 5.700 4.600 4.600m0-4.600-4.600 4.600"
            fill="none"
            stroke="var(--surface)"
            strokeWidth="1.7"
            strokeLinecap="round"
          />
        </>
      );
    case "reverted":
      return (
        <path
          d="M3 7.500h6.500a3.250 3.250 0 0 1 0 6.500H7M5.600 4.600 2.700 7.500l2.900 2.900"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      );
    case "neutral":
      return <circle cx="8" cy="8" r="5.500" fill="none" stroke="currentColor" strokeWidth="1.6" />;
  }
}

/** The status as a shape in its colour; the word is for readers that see neither. */
export function StatusMark({
  status,
  className,
  silent = false,
}: {
  status: string;
  className?: string;
  silent?: boolean;
}) {
  const look = lookOf(status);
  return (
    <svg
      viewBox="0 0 16 16"
      className={cn("size-3.5 shrink-0", look.text, className)}
      {...(silent ? { "aria-hidden": true } : { role: "img", "aria-label": look.word })}
    >
      <Shape tone={look.tone} />
    </svg>
  );
}

/** The status as shape and word. */
export function StatusTag({ status, className }: { status: string; className?: string }) {
  const look = lookOf(status);
  return (
    <span
      className={cn(
        "inline-flex h-5 items-center gap-1.5 whitespace-nowrap rounded px-1.5 text-2xs font-medium",
        look.text,
        look.soft,
        className,
      )}
    >
      <StatusMark status={status} silent className="size-3" />
      {look.word}
    </span>
  );
}
