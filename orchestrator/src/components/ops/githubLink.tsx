import { useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import type { ReactNode } from "react";
import { sessionQuery } from "../../api/queries.ts";
import { cn } from "../../lib/cn.ts";
import { githubHref } from "../../lib/githubHref.ts";

/** A way to a page on GitHub; text alone where the address is not one of GitHub's. */
export function GithubLink({
  address,
  children,
  label,
  className,
}: {
  address: string | null;
  children: ReactNode;
  /** What a reader hears, where the text alone says too little. */
  label?: string;
  className?: string;
}) {
  const { data: who } = useQuery(sessionQuery);
  const href = githubHref(address, who?.githubUrl);
  if (href === null) return <span className={className}>{children}</span>;
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer noopener"
      aria-label={label}
      className={cn("inline-flex min-w-0 items-center gap-1 text-accent-ink hover:underline", className)}
      onClick={(event) => event.stopPropagation()}
    >
      <span className="min-w-0">{children}</span>
      <ExternalLink className="size-3 shrink-0" aria-hidden />
    </a>
  );
}
