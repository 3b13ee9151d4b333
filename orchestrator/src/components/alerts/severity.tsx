import type { AlertSeverity } from "@shared/contracts";
import { cn } from "../../lib/cn.ts";

const LOOKS: Record<AlertSeverity, { word: string; look: string }> = {
  critical: { word: "Critical", look: "bg-failed-soft text-failed" },
  warning: { word: "Warning", look: "bg-validating-soft text-validating" },
  info: { word: "Info", look: "bg-hover text-ink-2" },
};

/** How severe an alert is, as a word in its colour. */
export const SeverityTag = ({ severity }: { severity: AlertSeverity }) => (
  <span
    className={cn("inline-flex h-5 shrink-0 items-center rounded px-1.5 text-2xs font-medium", LOOKS[severity].look)}
  >
    {LOOKS[severity].word}
  </span>
);
