import type { FiledGithubIssue } from "@shared/contracts";
import { Link } from "@tanstack/react-router";
import { ago, instant, moment, plural } from "../../lib/format.ts";
import { StatusTag } from "../status.tsx";
import { GithubLink } from "./githubLink.tsx";

/** A repository's issues on GitHub, whoever wrote them, each with the one here that it was filed for. */
export function GithubIssues({ issues, cursor }: { issues: readonly FiledGithubIssue[]; cursor: string | null }) {
  return (
    <ul aria-label="Issues on GitHub">
      {issues.map((issue) => (
        <li
          key={issue.number}
          data-row={issue.number}
          data-github-issue={issue.number}
          className={`border-b border-line px-4 py-3 last:border-0 ${cursor === String(issue.number) ? "bg-accent-soft" : ""}`}
        >
          <div className="flex items-start justify-between gap-3">
            <p className="min-w-0 font-medium break-words [overflow-wrap:anywhere]">
              <GithubLink address={issue.html_url}>{issue.title}</GithubLink>
            </p>
            <StatusTag status={`gh:${issue.state}`} />
          </div>
          <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-ink-3">
            <span className="nums">#{issue.number}</span>
            <span>{issue.user ?? "an account that is gone"}</span>
            {issue.labels.map((label) => (
              <span key={label} className="max-w-48 truncate rounded bg-hover px-1.5 leading-5 text-ink-2">
                {label}
              </span>
            ))}
            {issue.assignees.length === 0 ? null : <span>for {issue.assignees.join(", ")}</span>}
            {issue.comments === 0 ? null : <span>{plural(issue.comments, "comment")}</span>}
            <time dateTime={issue.updated_at} title={moment(issue.updated_at)}>
              changed {ago(Date.now() - instant(issue.updated_at))} ago
            </time>
            {issue.ops_issue_id === null ? null : (
              <Link
                to="/issues/$issueId"
                params={{ issueId: String(issue.ops_issue_id) }}
                className="text-accent-ink hover:underline"
              >
                filed for issue {issue.ops_issue_id} here
              </Link>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}
