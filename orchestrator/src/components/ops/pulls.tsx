import type { MadePullRequest } from "@shared/contracts";
import { Link } from "@tanstack/react-router";
import { ago, instant, moment } from "../../lib/format.ts";
import { StatusTag } from "../status.tsx";
import { GithubLink } from "./githubLink.tsx";

const statusOf = ({ state, draft, merged_at }: MadePullRequest): string =>
  merged_at !== null ? "pr:merged" : state === "closed" ? "pr:closed" : draft ? "pr:draft" : "pr:open";

/** Pull requests, each with the order and the execution that made it where they are on record. */
export function Pulls({ pulls, cursor }: { pulls: readonly MadePullRequest[]; cursor: string | null }) {
  return (
    <ul aria-label="Pull requests">
      {pulls.map((pull) => (
        <li
          key={pull.number}
          data-row={pull.number}
          data-pull={pull.number}
          className={`border-b border-line px-4 py-3 last:border-0 ${cursor === String(pull.number) ? "bg-accent-soft" : ""}`}
        >
          <div className="flex items-start justify-between gap-3">
            <p className="min-w-0 font-medium break-words [overflow-wrap:anywhere]">
              <GithubLink address={pull.html_url}>{pull.title}</GithubLink>
            </p>
            <StatusTag status={statusOf(pull)} />
          </div>
          <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-ink-3">
            <span className="nums">#{pull.number}</span>
            <span className="min-w-0 font-mono break-all">
              {pull.head.ref} <span aria-hidden>→</span>
              <span className="sr-only">into</span> {pull.base.ref}
            </span>
            <span>{pull.user ?? "an account that is gone"}</span>
            <time dateTime={pull.updated_at} title={moment(pull.updated_at)}>
              changed {ago(Date.now() - instant(pull.updated_at))} ago
            </time>
          </p>
          {pull.order_id === null ? null : (
            <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-ink-3">
              <span>
                made by order{" "}
                <Link
                  to="/orders/$orderId"
                  params={{ orderId: pull.order_id }}
                  className="font-mono break-all text-accent-ink hover:underline"
                >
                  {pull.order_id}
                </Link>
              </span>
              {pull.execution_id === null ? null : (
                <span>
                  execution{" "}
                  <Link
                    to="/executions/$executionId"
                    params={{ executionId: pull.execution_id }}
                    className="font-mono break-all text-accent-ink hover:underline"
                  >
                    {pull.execution_id}
                  </Link>
                </span>
              )}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
