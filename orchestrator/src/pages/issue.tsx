import type { OpsIssueDetail } from "@shared/contracts";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Bot, ChevronLeft } from "lucide-react";
import type { ReactNode } from "react";
import { CopyButton, Identifier } from "../components/copy.tsx";
import { ClaimActions, ClaimState } from "../components/ops/claim.tsx";
import { GithubLink } from "../components/ops/githubLink.tsx";
import { opsIssueQuery } from "../components/ops/queries.ts";
import { OpsSeverity } from "../components/ops/severity.tsx";
import { kindWord, modelOf, nameOf, sourceOf } from "../components/ops/view.ts";
import { WorkOnIt } from "../components/ops/work.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusMark, StatusTag } from "../components/status.tsx";
import { Card, CardHeader, SkeletonRows } from "../components/ui/surface.tsx";
import { ago, count, instant, moment, plural } from "../lib/format.ts";

export default function IssuePage() {
  const { issueId } = useParams({ from: "/shell/issues/$issueId" });
  const query = useQuery(opsIssueQuery(issueId));
  return (
    <div className="min-h-0 min-w-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="Issue">
      <div className="mx-auto w-full max-w-6xl p-3 sm:p-4">
        <Link to="/issues" className="mb-2 inline-flex items-center gap-1 text-xs text-ink-3 hover:text-ink">
          <ChevronLeft className="size-3.5" aria-hidden />
          Issues
        </Link>
        {query.isPending ? (
          <SkeletonRows rows={8} />
        ) : query.data === undefined ? (
          <>
            <h1 className="sr-only">Issue {issueId}</h1>
            <Problem error={query.error} retry={() => void query.refetch()} />
          </>
        ) : (
          <Whole issue={query.data} />
        )}
      </div>
    </div>
  );
}

function Whole({ issue }: { issue: OpsIssueDetail }) {
  return (
    <article data-testid="ops-issue" data-status={issue.status}>
      <Head issue={issue} />
      <div className="mt-4 grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0 space-y-4">
          <Text
            title="What was logged"
            hint="masked: what varies stands in angle brackets"
            copy="template"
            text={issue.template ?? "No template is on record."}
          />
          {issue.frame === null ? null : (
            <Card className="px-4 py-3">
              <h2 className="label mb-1">On top of the stack</h2>
              <p className="font-mono text-xs break-all">{issue.frame}</p>
            </Card>
          )}
          <Cause issue={issue} />
          <Text title="Remediation prompt" hint="what its order says" copy="prompt" text={issue.prompt} />
        </div>
        <div className="min-w-0 space-y-4">
          <Facts issue={issue} />
          <Related issue={issue} />
        </div>
      </div>
    </article>
  );
}

function Head({ issue }: { issue: OpsIssueDetail }) {
  return (
    <header>
      <div className="flex flex-wrap items-center gap-2">
        <OpsSeverity severity={issue.severity} word />
        <StatusTag status={`ops:${issue.status}`} />
        <ClaimState issue={issue} />
      </div>
      <h1 className="mt-2 font-mono text-base font-semibold break-words [overflow-wrap:anywhere]">{nameOf(issue)}</h1>
      <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-ink-3">
        <span>
          {kindWord[issue.kind]}{" "}
          <Link
            to="/issues"
            search={
              issue.kind === "worker-log" ? { worker: issue.worker ?? undefined } : { repo: issue.repo ?? undefined }
            }
            className="font-mono text-accent-ink hover:underline"
          >
            {sourceOf(issue)}
          </Link>
        </span>
        {issue.gh_issue_number === null ? (
          <span>not filed on GitHub</span>
        ) : (
          <GithubLink address={issue.gh_issue_url}>Issue #{issue.gh_issue_number} on GitHub</GithubLink>
        )}
        {issue.order_id === null ? null : (
          <span>
            order{" "}
            <Link
              to="/orders/$orderId"
              params={{ orderId: issue.order_id }}
              className="font-mono text-accent-ink hover:underline"
            >
              {issue.order_id}
            </Link>
          </span>
        )}
      </p>
      <div className="mt-3 flex flex-wrap items-start gap-2">
        <ClaimActions issue={issue} />
        <WorkOnIt issue={issue} />
      </div>
      <dl className="mt-4 grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-4">
        <Figure name="Seen">{plural(issue.occurrences, "time")}</Figure>
        <Figure name="First seen">
          <When at={issue.first_seen} />
        </Figure>
        <Figure name="Last seen">
          <When at={issue.last_seen} />
        </Figure>
        <Figure name="Came back">{issue.reopened === 0 ? "never" : plural(issue.reopened, "time")}</Figure>
      </dl>
    </header>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="bg-surface px-4 py-2.5">
      <dt className="label">{name}</dt>
      <dd className="nums mt-0.5 text-lg font-semibold">{children}</dd>
    </div>
  );
}

function When({ at }: { at: string | null }) {
  if (at === null) return "–";
  const passed = ago(Date.now() - instant(at));
  return (
    <time dateTime={at} title={moment(at)}>
      {passed === "now" ? "just now" : `${passed} ago`}
    </time>
  );
}

/** A text of a log or for an agent, as it is. */
function Text({ title, hint, copy, text }: { title: string; hint: string; copy: string; text: string }) {
  return (
    <Card>
      <CardHeader
        title={title}
        hint={hint}
        action={
          <CopyButton text={text} label={`Copy the ${copy}`}>
            Copy
          </CopyButton>
        }
      />
      <pre
        tabIndex={0}
        aria-label={title}
        className="max-h-[50vh] overflow-auto border-t border-line px-4 py-3 font-mono text-xs leading-5 whitespace-pre-wrap break-words"
      >
        {text}
      </pre>
    </Card>
  );
}

/** How grave it is, and by whose judgement; where a model spoke, its words are marked as a model's. */
function Cause({ issue }: { issue: OpsIssueDetail }) {
  const model = modelOf(issue);
  const rule = issue.rule_severity;
  const words = model === null ? issue.analysis : issue.analysis.replace(`By ${model}: `, "");
  return (
    <Card className="px-4 py-3">
      <h2 className="text-sm font-semibold">How grave it is</h2>
      <p className="mt-1.5 flex flex-wrap items-center gap-2 text-sm">
        {rule === null ? (
          <span className="text-ink-3">No rule has graded it.</span>
        ) : (
          <>
            <OpsSeverity severity={rule} word />
            <span className="text-ink-2">by rule, which decides what is filed</span>
          </>
        )}
      </p>
      {model === null ? (
        <>
          <p className="mt-1.5 max-w-prose text-sm break-words text-ink-2">{words}</p>
          {issue.judged_by?.startsWith("rule,") ? (
            <p className="mt-1 text-xs text-ink-3">A model was asked too; what it answered was no judgement.</p>
          ) : null}
        </>
      ) : (
        <>
          <p className="mt-1.5 flex flex-wrap items-center gap-2 text-sm">
            <OpsSeverity severity={issue.severity} word />
            <span className="text-ink-2">
              {issue.severity === rule ? "by the model too" : "by the model, as it is shown"}
            </span>
          </p>
          <figure
            aria-label="What a model takes for the cause"
            data-testid="model-words"
            className="mt-3 rounded-md border border-dashed border-line-strong bg-sunken px-3 py-2.5"
          >
            <figcaption className="mb-1 flex flex-wrap items-center gap-x-2 gap-y-0.5 text-xs text-ink-3">
              <Bot className="size-3.5 shrink-0" aria-hidden />
              <span>What a model takes for the cause:</span>
              <span className="font-mono break-all">{model}</span>
            </figcaption>
            <blockquote className="max-w-prose text-sm break-words whitespace-pre-wrap">{words}</blockquote>
          </figure>
          <p className="mt-1.5 text-xs text-ink-3">
            It saw the masked line alone, and may be wrong. Nothing is filed, closed or said on GitHub by it.
          </p>
        </>
      )}
    </Card>
  );
}

function Facts({ issue }: { issue: OpsIssueDetail }) {
  return (
    <Card className="px-4 py-3">
      <h2 className="label mb-2">On record</h2>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-xs">
        <Fact name="Issue">
          <span className="nums">{issue.id}</span>
        </Fact>
        {issue.fingerprint === null ? null : (
          <Fact name="Fingerprint">
            <Identifier value={issue.fingerprint} label="the fingerprint" short />
          </Fact>
        )}
        {issue.claimed_at === null ? null : <Fact name="Claimed">{moment(issue.claimed_at)}</Fact>}
        {issue.claim_expires_at === null ? null : <Fact name="Claim ends">{moment(issue.claim_expires_at)}</Fact>}
        {issue.first_seen === null ? null : <Fact name="First seen">{moment(issue.first_seen)}</Fact>}
        {issue.last_seen === null ? null : <Fact name="Last seen">{moment(issue.last_seen)}</Fact>}
        {issue.closed_at === null ? null : <Fact name="Closed">{moment(issue.closed_at)}</Fact>}
        {issue.run_id === null ? null : (
          <Fact name="First CI run">
            <span className="font-mono">{issue.run_id}</span>
          </Fact>
        )}
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}

/** What was seen at the same commits: a Worker's error and the build that the same change broke are one story. */
function Related({ issue }: { issue: OpsIssueDetail }) {
  if (issue.commits.length === 0) return null;
  return (
    <Card className="px-4 py-3">
      <h2 className="label mb-2">Seen at {plural(issue.commits.length, "commit")}</h2>
      <ul className="space-y-0.5">
        {issue.commits.slice(0, 5).map((sha) => (
          <li key={sha}>
            <Identifier value={sha} label="the commit" short />
          </li>
        ))}
      </ul>
      {issue.commits.length > 5 ? (
        <p className="mt-1 text-xs text-ink-3">and {count(issue.commits.length - 5)} more</p>
      ) : null}
      {issue.related.length === 0 ? null : (
        <>
          <h2 className="label mt-4 mb-2">Also seen there</h2>
          <ul aria-label="Also seen there" className="space-y-2">
            {issue.related.map((other) => (
              <li key={other.id} className="flex items-start gap-2">
                <StatusMark status={`ops:${other.status}`} className="mt-1 size-3" />
                <span className="min-w-0">
                  <Link
                    to="/issues/$issueId"
                    params={{ issueId: String(other.id) }}
                    className="line-clamp-2 font-mono text-xs break-all text-accent-ink hover:underline"
                  >
                    {nameOf(other)}
                  </Link>
                  <span className="text-xs text-ink-3">
                    {kindWord[other.kind]} {sourceOf(other)}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}
