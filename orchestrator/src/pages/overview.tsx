import type { AgentTelemetry, OrderStatus, PatchCounts, PipelineTelemetry } from "@shared/contracts";
import { queryOptions, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight, CircleSlash2 } from "lucide-react";
import type { ReactNode } from "react";
import { client, need } from "../api/client.ts";
import { hilTelemetryQuery } from "../api/queries.ts";
import { Recent } from "../components/overview/recent.tsx";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusMark } from "../components/status.tsx";
import { Button } from "../components/ui/button.tsx";
import { Card, CardHeader, Skeleton, SkeletonRows } from "../components/ui/surface.tsx";
import { cn } from "../lib/cn.ts";
import { ago, brief, count, duration, instant, percent, plural } from "../lib/format.ts";
import { lookOf } from "../stream/status.ts";

const REFRESH_MS = 10_000;

const { telemetry } = client;
const pipelineQuery = queryOptions({
  queryKey: ["telemetry", "pipeline"],
  queryFn: ({ signal }) => need(telemetry.pipeline({ signal })),
  refetchInterval: REFRESH_MS,
});
const agentsQuery = queryOptions({
  queryKey: ["telemetry", "agents"],
  queryFn: ({ signal }) => need(telemetry.agents({ signal })),
  refetchInterval: REFRESH_MS,
});
const opsQuery = queryOptions({
  queryKey: ["telemetry", "ops"],
  queryFn: ({ signal }) => need(telemetry.ops({ signal })),
  refetchInterval: REFRESH_MS,
});
export default function OverviewPage() {
  const pipeline = useQuery(pipelineQuery);
  const agents = useQuery(agentsQuery);
  return (
    <PageBody title="Overview" wide>
      <Read query={pipeline} rows={2}>
        {(data) => <InFlight data={data} />}
      </Read>
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="min-w-0 space-y-4">
          <Card>
            <CardHeader
              title="Happening now"
              action={
                <Button variant="ghost" asChild>
                  <Link to="/live">
                    Live
                    <ArrowRight />
                  </Link>
                </Button>
              }
            />
            <Recent />
          </Card>
          <Card>
            <CardHeader
              title="Factories"
              hint={
                agents.data
                  ? agents.data.active === 0
                    ? "none is working"
                    : `${plural(agents.data.active, "factory", "factories")} working`
                  : undefined
              }
            />
            <Read query={agents} rows={4} bare>
              {(data) => <Factories data={data} />}
            </Read>
          </Card>
        </div>
        <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-1">
          <Waiting />
          <Ops />
          <Providers query={agents} />
        </div>
      </div>
    </PageBody>
  );
}

function Read<T>({
  query,
  rows,
  bare = false,
  children,
}: {
  query: UseQueryResult<T>;
  rows: number;
  bare?: boolean;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  const instead = query.error ? (
    <Problem error={query.error} retry={() => void query.refetch()} className="py-8" />
  ) : (
    <SkeletonRows rows={rows} />
  );
  return bare ? instead : <Card>{instead}</Card>;
}

const STAGES: readonly OrderStatus[] = ["received", "in_progress", "delivered", "failed", "cancelled"];

function InFlight({ data }: { data: Omit<PipelineTelemetry, "ok"> }) {
  const { in_flight: now, stages, throughput } = data;
  const { today, week, durations } = throughput;
  const orders = new Map(stages.map(({ stage, orders }) => [stage, orders]));
  return (
    <div className="grid gap-4 xl:grid-cols-[minmax(0,1fr)_minmax(0,1.35fr)]">
      <Card className="flex flex-col">
        <CardHeader
          title="In flight"
          hint={now.orders + now.tasks + now.patches === 0 ? "nothing is being worked on" : undefined}
        />
        <dl className="grid grid-cols-3 px-4 pb-3">
          <Big name="Orders" value={count(now.orders)} />
          <Big name="Tasks" value={count(now.tasks)} />
          <Big name="Patches" value={count(now.patches)} />
        </dl>
        <ol
          aria-label="Orders by stage"
          className="mt-auto grid grid-cols-5 gap-px overflow-hidden rounded-b-lg border-t border-line bg-line"
        >
          {STAGES.map((stage) => (
            <li key={stage} className="bg-surface">
              <Link
                to="/orders"
                search={{ status: stage }}
                className="block px-1 py-2.5 text-center -outline-offset-2 hover:bg-hover sm:px-3"
              >
                <span className="nums block text-base font-semibold">{brief(orders.get(stage) ?? 0)}</span>
                <span className="flex items-center justify-center gap-1 text-2xs text-ink-2">
                  <StatusMark status={stage} silent className="hidden size-3 sm:block" />
                  <span className="truncate">{lookOf(stage).word}</span>
                </span>
              </Link>
            </li>
          ))}
        </ol>
      </Card>
      <Card>
        <CardHeader
          title="Throughput"
          hint={
            throughput.last_patch
              ? `last patch ${ago(Date.now() - instant(throughput.last_patch))} ago`
              : "no patch yet"
          }
        />
        <dl className="grid grid-cols-2 gap-y-3 px-4 pb-4 sm:grid-cols-4">
          <Big
            name="Today"
            value={count(today.total)}
            beside={week.total > 0 ? `${brief(Math.round(throughput.per_day))} a day last week` : "the first day"}
          />
          <Big
            name="Stand today"
            value={percent(today.applied_rate)}
            beside={week.total > 0 ? `${percent(week.applied_rate)} last week` : ""}
          />
          <Big
            name="Asked to applied"
            value={duration(durations.p50_ms)}
            beside={`p95 ${duration(durations.p95_ms)}`}
          />
          <Big
            name="Lines in 8 days"
            value={`+${brief(week.lines_added + today.lines_added)}`}
            beside={`−${brief(week.lines_removed + today.lines_removed)}`}
          />
        </dl>
        <Split counts={today} />
      </Card>
    </div>
  );
}

function Big({ name, value, beside }: { name: string; value: string; beside?: string }) {
  return (
    <div className="min-w-0">
      <dt className="label">{name}</dt>
      <dd>
        <span className="nums block truncate text-2xl font-semibold tracking-tight">{value}</span>
        {beside === undefined ? null : <span className="nums block truncate text-xs text-ink-3">{beside}</span>}
      </dd>
    </div>
  );
}

const WORDS = [
  { key: "validated", status: "patch_validated", fill: "bg-validated" },
  { key: "applied", status: "patch_applied", fill: "bg-applied" },
  { key: "requested", status: "patch_requested", fill: "bg-validating" },
  { key: "reverted", status: "patch_reverted", fill: "bg-reverted" },
  { key: "refused", status: "patch_failed", fill: "bg-failed" },
] as const;

/** Today's patches by their last word, as parts of one bar. */
function Split({ counts }: { counts: PatchCounts }) {
  const total = Math.max(1, counts.total);
  return (
    <div className="border-t border-line px-4 py-2.5">
      <div aria-hidden className="flex h-1.5 gap-px overflow-hidden rounded-full bg-hover">
        {WORDS.map(({ key, fill }) =>
          counts[key] > 0 ? (
            <span key={key} className={fill} style={{ width: `${(counts[key] / total) * 100}%` }} />
          ) : null,
        )}
      </div>
      <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1" aria-label="Patches of today by status">
        {WORDS.map(({ key, status }) => (
          <li key={key} className="flex items-center gap-1.5 text-xs text-ink-2">
            <StatusMark status={status} silent className="size-3" />
            {lookOf(status).word} <span className="nums text-ink-3">{count(counts[key])}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

type Factory = AgentTelemetry["factories"][number];

function FactoryState({ status }: { status: Factory["status"] }) {
  return (
    <span
      className={cn(
        "inline-flex items-center gap-1.5 text-xs whitespace-nowrap",
        status === "working" ? "font-medium text-applied" : "text-ink-3",
      )}
    >
      <svg viewBox="0 0 12 12" className="size-2.5" aria-hidden>
        {status === "working" ? (
          <circle cx="6" cy="6" r="4" fill="currentColor" />
        ) : (
          <circle
            cx="6"
            cy="6"
            r="4"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.500"
            {...(status === "never seen" ? { strokeDasharray: "2 1.600" } : {})}
          />
        )}
      </svg>
      {status === "never seen" ? "Not seen" : status === "working" ? "Working" : "Idle"}
    </span>
  );
}

function Factories({ data }: { data: Omit<AgentTelemetry, "ok"> }) {
  return (
    <>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Factories">
        <table className="w-full text-sm">
          <thead>
            <tr className="border-b border-line">
              {["Factory", "State", "Orders", "Tasks", "Today", "Stand", "Last patch"].map((title, index) => (
                <th
                  key={title}
                  scope="col"
                  className={cn(
                    "h-8 px-3 text-left whitespace-nowrap first:pl-4 last:pr-4",
                    index > 1 && "text-right",
                    (index === 3 || index === 6) && "hidden sm:table-cell",
                  )}
                >
                  <span className="label">{title}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.factories.map((factory) => (
              <tr key={factory.factory} className="border-b border-line last:border-0">
                <td className="h-10 px-3 pl-4">
                  <Link to="/live" search={{ factory: factory.factory }} className="whitespace-nowrap hover:underline">
                    {factory.factory}
                  </Link>
                </td>
                <td className="px-3">
                  <FactoryState status={factory.status} />
                </td>
                <td className="nums px-3 text-right">
                  {count(factory.orders.in_progress)}
                  {factory.orders.received > 0 ? (
                    <span className="text-ink-3"> +{count(factory.orders.received)}</span>
                  ) : null}
                </td>
                <td className="nums hidden px-3 text-right sm:table-cell">
                  {count(factory.tasks.in_progress)}
                  {factory.tasks.pending > 0 ? (
                    <span className="text-ink-3"> +{count(factory.tasks.pending)}</span>
                  ) : null}
                </td>
                <td className="nums px-3 text-right">{count(factory.today.total)}</td>
                <td className="nums px-3 text-right">
                  {percent(factory.week.applied_rate ?? factory.today.applied_rate)}
                </td>
                <td className="nums hidden px-3 pr-4 text-right whitespace-nowrap text-ink-3 sm:table-cell">
                  {factory.last_patch ? `${ago(Date.now() - instant(factory.last_patch))} ago` : "–"}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {data.capacity.available ? null : <NotYet name="Capacity" reason={data.capacity.reason} />}
    </>
  );
}

/** A part that nothing fills yet says so. */
function NotYet({ name, reason }: { name: string; reason: string }) {
  return (
    <p className="flex items-start gap-2 border-t border-line px-4 py-2.5 text-xs text-ink-3">
      <CircleSlash2 className="mt-0.5 size-3 shrink-0" aria-hidden />
      <span>
        <span className="font-medium text-ink-2">{name}:</span> {reason}
      </span>
    </p>
  );
}

interface Fact {
  name: string;
  value: ReactNode;
  bad?: boolean;
}

function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="px-4 pb-3">
      {facts.map(({ name, value, bad = false }) => (
        <div key={name} className="flex items-baseline justify-between gap-4 py-1">
          <dt className="text-ink-2">{name}</dt>
          <dd className={cn("nums text-right font-medium", bad && "text-failed")}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Waiting() {
  const hil = useQuery(hilTelemetryQuery);
  return (
    <Card>
      <CardHeader
        title="Waits for a person"
        hint={hil.data?.waiting.since ? `longest ${ago(Date.now() - instant(hil.data.waiting.since))}` : undefined}
        action={
          <Button variant="ghost" asChild>
            <Link to="/people">
              Answer
              <ArrowRight />
            </Link>
          </Button>
        }
      />
      <Read query={hil} rows={3} bare>
        {({ waiting, queue }) => (
          <>
            <Facts
              facts={[
                ...(queue.available
                  ? [
                      {
                        name: "Open questions",
                        value: `${count(queue.open)}${queue.plans > 0 ? ` (${plural(queue.plans, "plan")})` : ""}`,
                      },
                      {
                        name: "Answered in a day",
                        value: `${count(queue.answered)}${queue.waited_ms === null ? "" : `, after ${duration(queue.waited_ms)}`}`,
                      },
                      ...(queue.expired > 0
                        ? [{ name: "Not answered in time", value: count(queue.expired), bad: true }]
                        : []),
                    ]
                  : []),
                { name: "Runs that wait", value: count(waiting.executions) },
                { name: "Failed tasks", value: count(waiting.failed_tasks), bad: waiting.failed_tasks > 0 },
              ]}
            />
            {queue.available ? null : <NotYet name="Queue" reason={queue.reason} />}
          </>
        )}
      </Read>
    </Card>
  );
}

function Ops() {
  const ops = useQuery(opsQuery);
  return (
    <Card>
      <CardHeader title="Operations" />
      <Read query={ops} rows={4} bare>
        {({ broadcast, delivery, issues, scans }) => (
          <>
            <Facts
              facts={[
                {
                  name: "Broadcast",
                  value: broadcast.ok ? duration(broadcast.latency_ms) : "does not answer",
                  bad: !broadcast.ok,
                },
                { name: "Events recorded", value: brief(delivery.events) },
                { name: "Workspaces", value: count(delivery.workspaces) },
                {
                  name: "Issues open",
                  value: `${count(issues.open)}${issues.in_progress > 0 ? ` (${count(issues.in_progress)} claimed)` : ""}`,
                },
                ...(scans.available
                  ? [{ name: "Last scan", value: `${ago(Date.now() - instant(scans.last.started_at))} ago` }]
                  : []),
              ]}
            />
            {scans.available ? null : <NotYet name="Scans" reason={scans.reason} />}
          </>
        )}
      </Read>
    </Card>
  );
}

function Providers({ query }: { query: UseQueryResult<Omit<AgentTelemetry, "ok">> }) {
  return (
    <Card>
      <CardHeader
        title="Providers"
        action={
          <Button variant="ghost" asChild>
            <Link to="/providers">
              All
              <ArrowRight />
            </Link>
          </Button>
        }
      />
      {query.data === undefined ? (
        query.error ? (
          <p className="px-4 pb-3 text-ink-3">Not known at the moment.</p>
        ) : (
          <Skeleton className="mx-4 mb-4 h-10" />
        )
      ) : query.data.providers.available ? (
        query.data.providers.running.length === 0 ? (
          <p className="px-4 pb-3 text-ink-3">No run is in progress.</p>
        ) : (
          <Facts
            facts={query.data.providers.running.map(({ provider, running, waiting }) => ({
              name: provider,
              value: `${count(running)} running${waiting > 0 ? `, ${count(waiting)} waiting` : ""}`,
            }))}
          />
        )
      ) : (
        <NotYet name="Runs" reason={query.data.providers.reason} />
      )}
    </Card>
  );
}
