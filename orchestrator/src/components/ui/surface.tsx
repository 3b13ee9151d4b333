import type { ComponentProps, ReactNode } from "react";
import { cn } from "../../lib/cn.ts";

export function Card({ className, ...props }: ComponentProps<"section">) {
  return <section className={cn("min-w-0 rounded-lg border border-line bg-surface", className)} {...props} />;
}

export function CardHeader({
  title,
  hint,
  action,
  className,
}: {
  title: ReactNode;
  hint?: ReactNode;
  action?: ReactNode;
  className?: string;
}) {
  return (
    <header className={cn("flex min-h-11 items-center justify-between gap-3 px-4 pt-2.5 pb-1.5", className)}>
      <div className="flex min-w-0 items-baseline gap-2">
        <h2 className="shrink-0 text-sm font-semibold">{title}</h2>
        {hint ? <span className="hidden truncate text-xs text-ink-3 sm:block">{hint}</span> : null}
      </div>
      {action}
    </header>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn("rounded bg-hover animate-pulse-slow", className)} />;
}

/** Rows of a list that is being read. */
export function SkeletonRows({ rows = 6, className }: { rows?: number; className?: string }) {
  return (
    <div role="status" aria-label="Loading" className={cn("space-y-2 p-4", className)}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex items-center gap-3">
          <Skeleton className="size-3.5 rounded-full" />
          <Skeleton className={cn("h-3", ["w-1/3", "w-1/2", "w-2/5", "w-3/5"][row % 4])} />
          <Skeleton className="ml-auto h-3 w-12" />
        </div>
      ))}
    </div>
  );
}

/** What stands where there is nothing yet: what would be here, and how it comes to be. */
export function Empty({
  icon,
  title,
  children,
  className,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  className?: string;
}) {
  return (
    <div className={cn("flex flex-col items-center justify-center px-6 py-12 text-center", className)}>
      {icon ? <div className="mb-3 text-ink-3 [&_svg]:size-6 [&_svg]:stroke-[1.5]">{icon}</div> : null}
      <p className="text-sm font-medium text-ink">{title}</p>
      {children ? <div className="mt-1 max-w-sm text-sm text-ink-3">{children}</div> : null}
    </div>
  );
}
