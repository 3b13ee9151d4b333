import { type OpsIssue, OpsIssueStatusSchema, type OpsSummary } from "@shared/contracts";
import { useQuery } from "@tanstack/react-query";
import { Link, useMatch, useNavigate } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import type { ReactNode } from "react";
import { ClaimState } from "../components/ops/claim.tsx";
import { opsSummaryQuery } from "../components/ops/queries.ts";
import { ScanNow } from "../components/ops/scanNow.tsx";
import { Scans, ScanTotals } from "../components/ops/scans.tsx";
import { OpsSeverity, SEVERITIES, severityWord } from "../components/ops/severity.tsx";
import { kindWord, nameOf, scanStatus, scanTook, scopeWord, sourceOf } from "../components/ops/view.ts";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusMark, StatusTag } from "../components/status.tsx";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../components/ui/controls.tsx";
import { Card, CardHeader, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { ago, brief, count, instant, moment, when } from "../lib/format.ts";
import { lookOf } from "../stream/status.ts";

type Summary = Omit<OpsSummary, "ok">;

export default function OpsPage() {
  const atScans = useMatch({ from: "/shell/ops/scans", shouldThrow: false }) !== undefined;
  const navigate = useNavigate();
  const summary = useQuery(opsSummaryQuery);
  const last = summary.data?.last_scan ?? null;
  return (
    <PageBody
      title="Ops"
      className="max-w-6xl"
      tools={
        <>
          <p className="mr-auto flex items-center gap-2 text-sm text-ink-2">
            {last === null ? (
              summary.data ? (
                "No scan has run yet"
              ) : (
                " "
              )
            ) : (
              <>
                <StatusMark status={scanStatus(last)} />
                <span>
                  Last scan {when(instant(last.started_at))}
                  <span className="text-ink-3">, {lookOf(scanStatus(last)).word.toLowerCase()}</span>
                </span>
              </>
            )}
          </p>
          <ScanNow running={last?.outcome === null} />
        </>
      }
    >
      <Tabs
        value={atScans ? "scans" : "summary"}
        onValueChange={(next) => void navigate({ to: next === "scans" ? "/ops/scans" : "/ops/summary", replace: true })}
      >
        <TabsList aria-label="Ops">
          <TabsTrigger value="summary">Summary</TabsTrigger>
          <TabsTrigger value="scans">Scans</TabsTrigger>
        </TabsList>
        <TabsContent value="summary" className="pt-4">
          {summary.isPending ? (
            <SkeletonRows rows={8} />
          ) : summary.data === undefined ? (
            <Problem error={summary.error} retry={() => void summary.refetch()} />
          ) : (
            <Whole summary={summary.data} />
          )}
        </TabsContent>
        <TabsContent value="scans" className="pt-4">
          <Scans />
        </TabsContent>
      </Tabs>
    </PageBody>
  );
}

const AGES = [
  ["day", "Under a day", "first seen in the last 24 hours"],
  ["week", "Under a week", "first seen one to seven days ago"],
  ["month", "Under a month", "first seen seven to thirty days ago"],
  ["older", "Older", "first seen more than thirty days ago"],
] as const;

function Whole({ summary }: { summary: Summary }) {
  const byStatus = new Map(summary.breakdown.map((row) => [row.status, row.count]));
  const bySeverity = new Map(summary.by_severity.map((row) => [row.severity, row.count]));
  const byKind = new Map(summary.by_kind.map((row) => [row.kind, row.count]));
  return (
    <div className="space-y-4">
      <Waiting waiting={summary.waiting} scanned={summary.last_scan !== null} />
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
        <Breakdown title="By status" hint={`${count(summary.totals)} in all`}>
          {bars(
            OpsIssueStatusSchema.options.map((status) => ({
              key: status,
              to: { status },
              name: (
                <>
                  <StatusMark status={`ops:${status}`} silent className="size-3" />
                  {lookOf(`ops:${status}`).word}
                </>
              ),
              count: byStatus.get(status) ?? 0,
            })),
          )}
        </Breakdown>
        <Breakdown title="By severity" hint="not closed">
          {bars(
            SEVERITIES.map((severity) => ({
              key: String(severity),
              name: `${severity} ${severityWord(severity)}`,
              count: bySeverity.get(severity) ?? 0,
            })),
          )}
        </Breakdown>
        <Breakdown title="By age" hint="not closed, since first seen">
          {bars(AGES.map(([age, name, title]) => ({ key: age, name, title, count: summary.by_age[age] })))}
        </Breakdown>
        <Breakdown title="By kind" hint="not closed">
          {bars(
            (["worker-log", "build-log"] as const).map((kind) => ({
              key: kind,
              name: kindWord[kind],
              count: byKind.get(kind) ?? 0,
            })),
          )}
        </Breakdown>
      </div>
      <LastScan summary={summary} />
    </div>
  );
}

function Waiting({ waiting, scanned }: { waiting: Summary["waiting"]; scanned: boolean }) {
  return (
    <Card>
      <CardHeader
        title="Needs a person now"
        hint="of severity 1 to 3, taken by nobody and without an order"
        action={
          waiting.count === 0 ? null : (
            <span data-testid="waiting-count" className="nums text-xl font-semibold text-failed">
              {count(waiting.count)}
            </span>
          )
        }
      />
      {waiting.issues.length === 0 ? (
        <Empty icon={<CircleCheck />} title="Nothing waits for a person" className="py-8">
          {scanned ? "What is grave is claimed, or an order mends it." : "No scan has looked yet."}
        </Empty>
      ) : (
        <>
          <ul aria-label="Needs a person now" className="border-t border-line">
            {waiting.issues.map((issue) => (
              <WaitingRow key={issue.id} issue={issue} />
            ))}
          </ul>
          {waiting.count > waiting.issues.length ? (
            <p className="border-t border-line px-4 py-2 text-xs">
              <Link to="/issues" search={{ status: "open", severity: 3 }} className="text-accent-ink hover:underline">
                {count(waiting.count - waiting.issues.length)} more
              </Link>
            </p>
          ) : null}
        </>
      )}
    </Card>
  );
}

function WaitingRow({ issue }: { issue: OpsIssue }) {
  return (
    <li className="relative flex items-center gap-3 border-b border-line px-4 py-2 last:border-0 hover:bg-hover">
      <OpsSeverity severity={issue.severity} />
      <div className="min-w-0 flex-1">
        <Link
          to="/issues/$issueId"
          params={{ issueId: String(issue.id) }}
          className="line-clamp-1 font-mono text-xs break-all after:absolute after:inset-0"
        >
          {nameOf(issue)}
        </Link>
        <p className="truncate text-xs text-ink-3">
          {kindWord[issue.kind]} <span className="font-mono">{sourceOf(issue)}</span> <ClaimState issue={issue} brief />
        </p>
      </div>
      <p className="nums shrink-0 text-right text-xs text-ink-3">
        <span className="text-ink-2">{brief(issue.occurrences)}×</span>
        {issue.last_seen === null ? null : (
          <time dateTime={issue.last_seen} title={moment(issue.last_seen)} className="block">
            {ago(Date.now() - instant(issue.last_seen))}
          </time>
        )}
      </p>
    </li>
  );
}

function Breakdown({ title, hint, children }: { title: string; hint: string; children: ReactNode }) {
  return (
    <Card className="pb-3">
      <header className="flex items-baseline justify-between gap-2 px-4 pt-3 pb-1.5">
        <h2 className="text-sm font-semibold">{title}</h2>
        <span className="text-2xs text-ink-3">{hint}</span>
      </header>
      <dl className="space-y-1.5 px-4">{children}</dl>
    </Card>
  );
}

interface Bar {
  key: string;
  name: ReactNode;
  title?: string;
  count: number;
  /** The filter that lists what it counts. */
  to?: { status: OpsIssue["status"] };
}

/** Counts as bars of one scale. A count that a filter lists is a way there. */
function bars(rows: readonly Bar[]): ReactNode {
  const most = Math.max(1, ...rows.map((row) => row.count));
  return rows.map((row) => (
    <div key={row.key} data-count={row.key} title={row.title} className="grid grid-cols-[1fr_auto] gap-x-3 text-xs">
      <dt className="flex items-center gap-1.5 text-ink-2">{row.name}</dt>
      <dd className={row.count === 0 ? "nums text-ink-3" : "nums font-semibold"}>
        {row.to === undefined || row.count === 0 ? (
          count(row.count)
        ) : (
          <Link to="/issues" search={row.to} className="hover:underline">
            {count(row.count)}
          </Link>
        )}
      </dd>
      <dd aria-hidden className="col-span-2 mt-1 h-1 overflow-hidden rounded-full bg-hover">
        <span className="block h-full rounded-full bg-ink-3" style={{ width: `${(row.count / most) * 100}%` }} />
      </dd>
    </div>
  ));
}

function LastScan({ summary: { last_scan: scan } }: { summary: Summary }) {
  if (scan === null) return null;
  const status = scanStatus(scan);
  return (
    <Card className="px-4 py-3" data-testid="last-scan">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="text-sm font-semibold">Last scan</h2>
        <StatusTag status={status} />
        <span className="nums text-xs text-ink-3">
          {scopeWord(scan.scope)}, {moment(scan.started_at)}, {scan.finished_at === null ? "for" : "took"}{" "}
          {scanTook(scan)}
        </span>
        <Link to="/ops/scans" className="ml-auto text-xs text-accent-ink hover:underline">
          All scans
        </Link>
      </div>
      <ScanTotals scan={scan} className="mt-2" />
      {scan.error === null ? null : (
        <p className={`mt-2 font-mono text-xs break-words whitespace-pre-wrap ${lookOf(status).text}`}>{scan.error}</p>
      )}
    </Card>
  );
}
