import { type Stats, type Trend, TREND_GROUPS, type TrendGroup } from "@shared/contracts";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowDownRight, ArrowUpRight, ChartNoAxesColumn, Download } from "lucide-react";
import { lazy, type ReactNode, Suspense, useCallback, useMemo, useState } from "react";
import { client, need } from "../api/client.ts";
import { AnomalyList } from "../components/analytics/anomalies.tsx";
import { daysOf, RANGES } from "../components/analytics/range.ts";
import { type Column, DataTable } from "../components/dataTable.tsx";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { Button } from "../components/ui/button.tsx";
import { Input, Menu, MenuContent, MenuItem, MenuTrigger, Segmented } from "../components/ui/controls.tsx";
import { Card, CardHeader, Empty, Skeleton } from "../components/ui/surface.tsx";
import { cn } from "../lib/cn.ts";
import { brief, count, dateLabel, dayLabel, duration, percent } from "../lib/format.ts";

const Charts = {
  Daily: lazy(async () => ({ default: (await import("../components/analytics/charts.tsx")).DailyChart })),
  Factories: lazy(async () => ({ default: (await import("../components/analytics/charts.tsx")).FactoryChart })),
  Operations: lazy(async () => ({ default: (await import("../components/analytics/charts.tsx")).OperationsDonut })),
};

type Search = ReturnType<typeof useSearch<Register, "/shell/analytics">>;
type Register = import("@tanstack/react-router").RegisteredRouter;

const GROUP_NAMES: Record<TrendGroup, string> = {
  weekly: "Week",
  daily: "Day",
  phase: "Phase",
  order: "Order",
  provider: "Provider",
};
const REFRESH_MS = 60_000;

export default function AnalyticsPage() {
  const search = useSearch({ from: "/shell/analytics" });
  const navigate = useNavigate({ from: "/analytics" });
  const [now] = useState(() => Date.now());
  const days = useMemo(() => daysOf(search, now), [search, now]);
  const group = search.group ?? "weekly";
  const scope = { ...days, ...(search.project ? { project: search.project } : {}) };
  const change = useCallback(
    (part: Partial<Search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );

  const stats = useQuery({
    queryKey: ["stats", scope, search.order],
    queryFn: ({ signal }) => need(client.patches.stats({ ...scope, order: search.order }, { signal })),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const trends = useQuery({
    queryKey: ["trends", scope, group],
    queryFn: ({ signal }) => need(client.patches.trends({ ...scope, group }, { signal })),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const address = (what: "stats" | "trends", format: "csv" | "ndjson"): string =>
    `/api/patches/${what}?${new URLSearchParams({ ...scope, ...(what === "trends" ? { group } : search.order ? { order: search.order } : {}), format }).toString()}`;

  return (
    <PageBody
      title="Analytics"
      wide
      tools={
        <>
          <Segmented
            label="Range"
            value={search.from === undefined ? (search.range ?? "30d") : "custom"}
            onChange={(next) =>
              next === "custom"
                ? change(days)
                : change({ range: next === "30d" ? undefined : next, from: undefined, to: undefined })
            }
            options={[
              ...RANGES.map((value) => ({ value, label: value === "365d" ? "1y" : value })),
              { value: "custom" as const, label: "Custom" },
            ]}
          />
          {search.from === undefined ? (
            <span className="nums text-xs text-ink-3">
              {days.from.slice(0, 4) === days.to.slice(0, 4) ? dayLabel(days.from) : dateLabel(days.from)} –{" "}
              {dateLabel(days.to)}, UTC
            </span>
          ) : (
            <span className="flex items-center gap-1.5">
              <Input
                type="date"
                aria-label="From"
                className="h-7 w-34 text-xs"
                value={days.from}
                max={days.to}
                onChange={(event) => change({ from: event.target.value || undefined, to: days.to })}
              />
              <span className="text-ink-3">–</span>
              <Input
                type="date"
                aria-label="To"
                className="h-7 w-34 text-xs"
                value={days.to}
                min={days.from}
                onChange={(event) => change({ from: days.from, to: event.target.value || undefined })}
              />
            </span>
          )}
          {search.order ? (
            <Button onClick={() => change({ order: undefined })}>
              Order {search.order} <span aria-hidden>×</span>
            </Button>
          ) : null}
          {search.project ? (
            <Button onClick={() => change({ project: undefined })}>
              Project {search.project} <span aria-hidden>×</span>
            </Button>
          ) : null}
          <span className="ml-auto">
            <Menu>
              <MenuTrigger asChild>
                <Button>
                  <Download />
                  Export
                </Button>
              </MenuTrigger>
              <MenuContent align="end">
                {(["stats", "trends"] as const).flatMap((what) =>
                  (["csv", "ndjson"] as const).map((format) => (
                    <MenuItem key={what + format} asChild>
                      <a href={address(what, format)} download={`vibehq-${what}-${days.from}-${days.to}.${format}`}>
                        <span className="flex-1">{what === "stats" ? "Statistics" : "Trends"}</span>
                        <span className="text-xs text-ink-3">{format === "csv" ? "CSV" : "NDJSON"}</span>
                      </a>
                    </MenuItem>
                  )),
                )}
              </MenuContent>
            </Menu>
          </span>
        </>
      }
    >
      {stats.error && !stats.data ? (
        <Card>
          <Problem error={stats.error} retry={() => void stats.refetch()} />
        </Card>
      ) : stats.data && stats.data.totals.total === 0 ? (
        <Card>
          <Empty icon={<ChartNoAxesColumn />} title="No patch in these days" className="py-20">
            Choose a longer range, or send the first one: <code className="font-mono text-xs">npm start -- --once</code>{" "}
            runs a sample order.
          </Empty>
        </Card>
      ) : (
        <div className={cn("space-y-4", stats.isPlaceholderData && "opacity-60 transition-opacity")}>
          <Figures
            stats={stats.data}
            change={trends.data?.comparison.change}
            before={trends.data?.comparison.totals.total}
          />
          <div className="grid gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
            <Card>
              <CardHeader title="Patches a day" hint="by the day they were asked for" action={<Legend />} />
              <div className="px-2 pb-3">
                <Loaded when={stats.data} height="h-60">
                  {(data) => <Charts.Daily stats={data} days={days} anomalies={trends.data?.anomalies.found ?? []} />}
                </Loaded>
              </div>
              {stats.data ? <DailyTable daily={stats.data.daily} /> : null}
            </Card>
            <Card>
              <CardHeader title="Operations" />
              <div className="px-4 pb-4">
                <Loaded when={stats.data} height="h-60">
                  {(data) => <Charts.Operations rows={data.byOp} />}
                </Loaded>
              </div>
            </Card>
          </div>
          <div className="grid gap-4 xl:grid-cols-2">
            <Card>
              <CardHeader title="By factory" hint="whoever asked" />
              <div className="px-2 pb-3">
                <Loaded when={stats.data} height="h-40">
                  {(data) => <Charts.Factories rows={data.byFactory} />}
                </Loaded>
              </div>
              {stats.data ? <FactoryTable rows={stats.data.byFactory} /> : null}
            </Card>
            <Card>
              <CardHeader
                title="Anomalies"
                hint={
                  trends.data?.anomalies.status === "judged"
                    ? `${trends.data.anomalies.window.judged_days} days judged`
                    : undefined
                }
              />
              {trends.error && !trends.data ? (
                <Problem error={trends.error} retry={() => void trends.refetch()} />
              ) : (
                <Loaded when={trends.data} height="h-40">
                  {(data) => <AnomalyList anomalies={data.anomalies} />}
                </Loaded>
              )}
            </Card>
          </div>
          <Card>
            <CardHeader
              title="Trends"
              hint={
                trends.data
                  ? `before: ${dayLabel(trends.data.comparison.range.fromDate.slice(0, 10))} – ${dayLabel(trends.data.comparison.range.toDate.slice(0, 10))}`
                  : undefined
              }
              action={
                <Segmented
                  label="Group by"
                  value={group}
                  onChange={(next) => change({ group: next === "weekly" ? undefined : next })}
                  options={TREND_GROUPS.map((value) => ({ value, label: GROUP_NAMES[value] }))}
                />
              }
              className="flex-wrap"
            />
            {trends.error && !trends.data ? (
              <Problem error={trends.error} retry={() => void trends.refetch()} />
            ) : (
              <Loaded when={trends.data} height="h-60">
                {(data) => <TrendTable group={data.group} rows={data.results} />}
              </Loaded>
            )}
          </Card>
          <Card>
            <CardHeader title="Errors" hint="patches whose last word is a refusal" />
            <Loaded when={stats.data} height="h-40">
              {(data) => <ErrorTable errors={data.errors} search={search} change={change} />}
            </Loaded>
          </Card>
        </div>
      )}
    </PageBody>
  );
}

function Loaded<T>({
  when,
  height,
  children,
}: {
  when: T | undefined;
  height: string;
  children: (data: T) => ReactNode;
}) {
  const waiting = <Skeleton className={cn("m-2", height)} />;
  if (when === undefined) return waiting;
  return <Suspense fallback={waiting}>{children(when)}</Suspense>;
}

function Legend() {
  return (
    <span className="flex items-center gap-4 text-xs text-ink-3">
      <span className="flex items-center gap-1.5">
        <svg className="h-2 w-5" aria-hidden>
          <line x1="0" y1="4" x2="20" y2="4" stroke="var(--accent-ink)" strokeWidth="2" />
        </svg>
        All
      </span>
      <span className="flex items-center gap-1.5">
        <svg className="h-2 w-5" aria-hidden>
          <line x1="0" y1="4" x2="20" y2="4" stroke="var(--failed)" strokeWidth="2" strokeDasharray="5 3" />
        </svg>
        Failed
      </span>
      <span className="hidden items-center gap-1.5 sm:flex">
        <svg className="size-3" aria-hidden>
          <circle cx="6" cy="6" r="4" fill="none" stroke="var(--validating)" strokeWidth="2.500" />
        </svg>
        Anomaly
      </span>
    </span>
  );
}

/** A change against the period before. `good` says which way is better; neither for counts. */
function Change({
  value,
  unit = "%",
  good = 0,
}: {
  value: number | null | undefined;
  unit?: string;
  good?: -1 | 0 | 1;
}) {
  if (value === null || value === undefined) return null;
  const Icon = value < 0 ? ArrowDownRight : ArrowUpRight;
  const tone = value === 0 || good === 0 ? "text-ink-2" : Math.sign(value) === good ? "text-applied" : "text-failed";
  return (
    <span className={cn("nums inline-flex items-center gap-0.5 text-xs whitespace-nowrap", tone)}>
      <Icon className="size-3" aria-hidden />
      {value > 0 ? "+" : ""}
      {Math.abs(value) >= 1000 ? brief(Math.round(value)) : value.toFixed(1)}
      {unit}
    </span>
  );
}

function Figures({
  stats,
  change,
  before,
}: {
  stats: Omit<Stats, "ok"> | undefined;
  change: { total: number | null; success_rate: number | null; mean_ms: number | null } | undefined;
  before: number | undefined;
}) {
  const totals = stats?.totals;
  const figures: { name: string; value: string; beside: ReactNode; change: ReactNode }[] = [
    {
      name: "Patches",
      value: totals ? count(totals.total) : "",
      beside: before === undefined ? "" : `${brief(before)} before`,
      change: <Change value={change?.total} />,
    },
    {
      name: "Stand",
      value: totals ? percent(totals.applied_rate) : "",
      beside: totals ? `${brief(totals.refused)} refused, ${brief(totals.reverted)} reverted` : "",
      change: null,
    },
    {
      name: "Types hold",
      value: totals ? percent(totals.success_rate) : "",
      beside: totals ? `${brief(totals.unchecked)} not checked` : "",
      change: <Change value={change?.success_rate} unit=" pt" good={1} />,
    },
    {
      name: "Asked to applied",
      value: stats ? duration(stats.durations.p50_ms) : "",
      beside: stats ? `p95 ${duration(stats.durations.p95_ms)}` : "",
      change: <Change value={change?.mean_ms} good={-1} />,
    },
    {
      name: "Lines",
      value: totals ? `+${brief(totals.lines_added)} −${brief(totals.lines_removed)}` : "",
      beside: "of patches that stand",
      change: null,
    },
  ];
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line md:grid-cols-3 xl:grid-cols-5">
      {figures.map((figure, index) => (
        <div
          key={figure.name}
          className={cn("min-w-0 bg-surface px-4 py-3", index === 4 && "col-span-2 md:col-span-1")}
        >
          <dt className="label flex items-center justify-between gap-2">
            {figure.name}
            {figure.change}
          </dt>
          <dd className="mt-1">
            {stats ? (
              <span className="nums text-2xl font-semibold tracking-tight">{figure.value}</span>
            ) : (
              <Skeleton className="my-1 h-6 w-20" />
            )}
            <span className="nums block truncate text-xs text-ink-3">{figure.beside}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The chart's numbers for who cannot see it. */
function DailyTable({ daily }: { daily: Stats["daily"] }) {
  return (
    <table className="sr-only">
      <caption>Patches a day</caption>
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col">All</th>
          <th scope="col">Failed</th>
        </tr>
      </thead>
      <tbody>
        {daily.map((day) => (
          <tr key={day.day}>
            <th scope="row">{day.day}</th>
            <td>{day.total}</td>
            <td>{day.failed}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const factoryKey = (row: Stats["byFactory"][number]): string => row.factory;
const FACTORY_COLUMNS: Column<Stats["byFactory"][number]>[] = [
  {
    id: "factory",
    title: "Factory",
    cell: (row) => (
      <Link to="/live" search={{ factory: row.factory }} className="block max-w-48 truncate hover:underline">
        <bdi>{row.factory}</bdi>
      </Link>
    ),
  },
  { id: "total", title: "Patches", end: true, cell: (row) => count(row.total) },
  { id: "stand", title: "Stand", end: true, cell: (row) => percent(row.applied_rate) },
  { id: "types", title: "Types hold", end: true, cell: (row) => percent(row.success_rate) },
  { id: "mean", title: "Mean", end: true, cell: (row) => duration(row.mean_ms), className: "hidden sm:table-cell" },
];

function FactoryTable({ rows }: { rows: Stats["byFactory"] }) {
  return (
    <div className="border-t border-line">
      <DataTable label="Factories" columns={FACTORY_COLUMNS} rows={rows.slice(0, 8)} keyOf={factoryKey} />
    </div>
  );
}

const trendName = (row: Trend): string => row.week ?? row.day ?? row.phase ?? row.order_id ?? row.provider ?? "none";
const trendKey = (row: Trend): string => trendName(row);

function TrendTable({ group, rows }: { group: TrendGroup; rows: readonly Trend[] }) {
  const columns = useMemo<Column<Trend>[]>(
    () => [
      {
        id: "name",
        title: GROUP_NAMES[group],
        cell: (row) =>
          group === "order" && row.order_id ? (
            <Link
              to="/orders/$orderId"
              params={{ orderId: row.order_id }}
              className="block max-w-56 truncate font-mono text-xs hover:underline"
            >
              {row.order_id}
            </Link>
          ) : (
            <span className="block max-w-56 truncate whitespace-nowrap">
              {group === "daily" ? dayLabel(trendName(row)) : group === "weekly" ? <Week row={row} /> : trendName(row)}
            </span>
          ),
      },
      { id: "total", title: "Patches", end: true, cell: (row) => count(row.total) },
      {
        id: "before",
        title: "Before",
        end: true,
        cell: (row) => <span className="text-ink-3">{row.previous ? count(row.previous.total) : "–"}</span>,
      },
      { id: "change", title: "Change", end: true, cell: (row) => <Change value={row.change_pct} /> },
      {
        id: "stand",
        title: "Stand",
        end: true,
        cell: (row) => percent(row.applied_rate),
        className: "hidden sm:table-cell",
      },
      {
        id: "types",
        title: "Types hold",
        end: true,
        cell: (row) => percent(row.success_rate),
        className: "hidden md:table-cell",
      },
      { id: "failed", title: "Failed", end: true, cell: (row) => count(row.failed) },
      {
        id: "p50",
        title: "p50",
        end: true,
        cell: (row) => duration(row.durations.p50_ms ?? row.durations.mean_ms),
        className: "hidden lg:table-cell",
      },
      {
        id: "lines",
        title: "Lines",
        end: true,
        cell: (row) => `+${brief(row.lines_added)} −${brief(row.lines_removed)}`,
        className: "hidden lg:table-cell whitespace-nowrap",
      },
    ],
    [group],
  );
  if (rows.length === 0) return <Empty title="Nothing in these days" className="py-8" />;
  return (
    <div className="max-h-[28rem] overflow-y-auto" tabIndex={0} role="region" aria-label="Trends">
      <DataTable label="Trends by group" columns={columns} rows={rows} keyOf={trendKey} />
    </div>
  );
}

const Week = ({ row }: { row: Trend }) => (
  <>
    {row.week} <span className="text-xs text-ink-3">from {dayLabel(row.first_patch.slice(0, 10))}</span>
  </>
);

type ErrorRow = Stats["errors"][number];
const errorKey = (row: ErrorRow): string => `${row.code ?? ""}\u0000${row.template}`;
const ERROR_COLUMNS: Column<ErrorRow>[] = [
  {
    id: "code",
    title: "Code",
    value: (row) => row.code ?? "",
    cell: (row) =>
      row.code === null ? (
        <span className="text-ink-3">all others</span>
      ) : (
        <span className="rounded bg-failed-soft px-1.5 font-mono text-2xs leading-5 whitespace-nowrap text-failed">
          {row.code}
        </span>
      ),
    className: "w-px",
  },
  {
    id: "error",
    title: "Message",
    value: (row) => row.template,
    cell: (row) => <span className="line-clamp-2 min-w-56 break-words text-ink-2">{row.template}</span>,
  },
  { id: "pct", title: "Share", end: true, value: (row) => row.pct, cell: (row) => percent(row.pct), className: "w-px" },
  {
    id: "occurrences",
    title: "Patches",
    end: true,
    value: (row) => row.occurrences,
    cell: (row) => count(row.occurrences),
    className: "w-px",
  },
];

function ErrorTable({
  errors,
  search,
  change,
}: {
  errors: readonly ErrorRow[];
  search: Search;
  change: (part: Partial<Search>) => void;
}) {
  if (errors.length === 0) return <Empty title="No patch was refused" className="py-8" />;
  return (
    <DataTable
      label="Errors"
      columns={ERROR_COLUMNS}
      rows={errors}
      keyOf={errorKey}
      sort={{ id: search.sort ?? "occurrences", desc: search.desc ?? search.sort === undefined }}
      onSort={(sort) => change({ sort: sort?.id, desc: sort?.desc })}
    />
  );
}
