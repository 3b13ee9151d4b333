import type { ReactNode } from "react";
import { cn } from "../lib/cn.ts";

/** A page that scrolls as a whole: its tools in a bar that stays, its content in one column of cards. */
export function PageBody({
  title,
  tools,
  children,
  className,
  wide = false,
}: {
  title: string;
  tools?: ReactNode;
  children: ReactNode;
  className?: string;
  wide?: boolean;
}) {
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <h1 className="sr-only">{title}</h1>
      {tools ? (
        <div className="flex min-h-11 shrink-0 flex-wrap items-center gap-2 border-b border-line px-3 py-1.5 sm:px-4">
          {tools}
        </div>
      ) : null}
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label={title}>
        <div className={cn("mx-auto w-full space-y-4 p-3 sm:p-4", wide ? "max-w-[100rem]" : "max-w-7xl", className)}>
          {children}
        </div>
      </div>
    </div>
  );
}
