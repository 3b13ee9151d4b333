import type { OperationLevel } from "@shared/contracts";
import { cn } from "../../lib/cn.ts";

const LOOKS: Record<OperationLevel, string> = {
  error: "bg-failed-soft text-failed",
  warn: "bg-validating-soft text-validating",
  info: "bg-hover text-ink-2",
  debug: "text-ink-3",
};

/** A line's level as a word in its colour. */
export const LevelTag = ({ level }: { level: OperationLevel }) => (
  <span
    className={cn(
      "inline-flex h-4.5 w-11 shrink-0 items-center justify-center rounded font-mono text-2xs uppercase",
      LOOKS[level],
    )}
  >
    {level}
  </span>
);
