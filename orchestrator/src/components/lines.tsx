import { count } from "../lib/format.ts";
import { cn } from "../lib/cn.ts";

/** Lines added and removed. */
export function LineCounts({
  added,
  removed,
  className,
}: {
  added: number | null;
  removed: number | null;
  className?: string;
}) {
  if (added === null && removed === null) return null;
  return (
    <span className={cn("nums whitespace-nowrap font-mono text-2xs", className)}>
      <span className="text-applied">+{count(added ?? 0)}</span>{" "}
      <span className="text-failed">−{count(removed ?? 0)}</span>
    </span>
  );
}

/** A path whose folder gives way before its name does. */
export function Path({ path, className }: { path: string; className?: string }) {
  const cut = path.lastIndexOf("/") + 1;
  return (
    <span className={cn("flex min-w-0 font-mono text-xs", className)} title={path}>
      <span className="truncate text-ink-3">{path.slice(0, cut)}</span>
      <span className="max-w-full shrink-0 truncate text-ink">{path.slice(cut) || path}</span>
    </span>
  );
}
