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
      className={cn("text-accent-ink hover:underline", className)}
      onClick={(event) => event.stopPropagation()}
    >
      {children}
      <ExternalLink className="ml-1 inline size-3 align-[-0.0625rem]" aria-hidden />
    </a>
  );
}
