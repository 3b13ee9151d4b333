import type { Anomaly, Stats } from "@shared/contracts";
import { useMemo } from "react";
import {
  Area,
  AreaChart,
  Bar,
  BarChart,
  CartesianGrid,
  Cell,
  Pie,
  PieChart,
  ReferenceArea,
  ReferenceDot,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import { brief, count, dayLabel, percent } from "../../lib/format.ts";
import { type Days, eachDay } from "./range.ts";

const AXIS = { fontSize: 11, fill: "var(--ink-3)" };
const TIP = {
  contentStyle: {
    background: "var(--surface)",
    border: "1px solid var(--line)",
    borderRadius: 8,
    fontSize: 12,
    boxShadow: "var(--shadow)",
    padding: "6px 10px",
  },
  labelStyle: { color: "var(--ink)", fontWeight: 600 },
  itemStyle: { color: "var(--ink-2)", padding: 0 },
  cursor: { stroke: "var(--line-strong)", fill: "var(--hover)" },
} as const;

/** A day of the chart; days without patches stand as nought. */
interface Point {
  day: string;
  total: number;
  failed: number;
}

/** Patches a day, and those of them that failed; what stands out is marked where it is. */
export function DailyChart({
  stats,
  days,
  anomalies,
}: {
  stats: Stats | Omit<Stats, "ok">;
  days: Days;
  anomalies: readonly Anomaly[];
}) {
  const points = useMemo<Point[]>(() => {
    const byDay = new Map(stats.daily.map((day) => [day.day, day]));
    return eachDay(days).map((day) => ({
      day,
      total: byDay.get(day)?.total ?? 0,
      failed: byDay.get(day)?.failed ?? 0,
    }));
  }, [stats, days]);
  const marks = anomalies.filter(({ metric }) => metric !== "duration");
  const at = new Map(points.map((point) => [point.day, point]));
  return (
    <ResponsiveContainer width="100%" height={240}>
      <AreaChart data={points} margin={{ top: 12, right: 12, bottom: 0, left: 0 }} accessibilityLayer>
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="day"
          tickFormatter={dayLabel}
          tick={AXIS}
          tickLine={false}
          axisLine={{ stroke: "var(--line)" }}
          minTickGap={40}
        />
        <YAxis tick={AXIS} tickLine={false} axisLine={false} width={44} tickFormatter={brief} allowDecimals={false} />
        <Tooltip
          {...TIP}
          labelFormatter={(day) => (typeof day === "string" ? dayLabel(day) : "")}
          formatter={(value, name) => [count(Number(value)), name]}
        />
        {marks
          .filter(({ from, to }) => from !== to)
          .map((anomaly) => (
            <ReferenceArea
              key={`${anomaly.metric}${anomaly.from}`}
              x1={clamp(anomaly.from, days)}
              x2={clamp(anomaly.to, days)}
              fill="var(--validating)"
              fillOpacity={0.1}
            />
          ))}
        <Area
          name="All"
          dataKey="total"
          type="monotone"
          stroke="var(--accent-ink)"
          strokeWidth={1.75}
          fill="var(--accent)"
          fillOpacity={0.09}
          isAnimationActive={false}
          activeDot={{ r: 3 }}
        />
        <Area
          name="Failed"
          dataKey="failed"
          type="monotone"
          stroke="var(--failed)"
          strokeWidth={1.75}
          strokeDasharray="5 3"
          fill="var(--failed)"
          fillOpacity={0.12}
          isAnimationActive={false}
          activeDot={{ r: 3 }}
        />
        {marks.map((anomaly) => {
          const point = at.get(anomaly.to);
          if (!point || anomaly.from !== anomaly.to) return null;
          return (
            <ReferenceDot
              key={`${anomaly.metric}${anomaly.to}`}
              x={anomaly.to}
              y={anomaly.metric === "total" ? point.total : point.failed}
              r={5}
              fill="var(--surface)"
              stroke="var(--validating)"
              strokeWidth={2.5}
            />
          );
        })}
      </AreaChart>
    </ResponsiveContainer>
  );
}

const clamp = (day: string, { from, to }: Days): string => (day < from ? from : day > to ? to : day);

/** Success and failure of each factory, side by side in one bar. */
export function FactoryChart({ rows }: { rows: Stats["byFactory"] }) {
  const shown = rows.slice(0, 8).map((row) => ({
    factory: row.factory,
    Stands: row.stands,
    Failed: row.failed,
    Other: Math.max(0, row.total - row.stands - row.failed),
    rate: row.applied_rate,
  }));
  return (
    <ResponsiveContainer width="100%" height={Math.max(120, shown.length * 38 + 30)}>
      <BarChart
        data={shown}
        layout="vertical"
        margin={{ top: 0, right: 16, bottom: 0, left: 0 }}
        barSize={14}
        accessibilityLayer
      >
        <CartesianGrid horizontal={false} stroke="var(--line)" />
        <XAxis
          type="number"
          tick={AXIS}
          tickLine={false}
          axisLine={false}
          tickFormatter={brief}
          allowDecimals={false}
        />
        <YAxis
          type="category"
          dataKey="factory"
          tick={{ ...AXIS, fill: "var(--ink-2)" }}
          tickLine={false}
          axisLine={false}
          width={116}
          tickFormatter={(name: string) => (name.length > 17 ? `${name.slice(0, 16)}…` : name)}
        />
        <Tooltip {...TIP} formatter={(value, name) => [count(Number(value)), name]} />
        <Bar dataKey="Stands" stackId="all" fill="var(--applied)" isAnimationActive={false} />
        <Bar dataKey="Other" stackId="all" fill="var(--line-strong)" isAnimationActive={false} />
        <Bar dataKey="Failed" stackId="all" fill="var(--failed)" radius={[0, 3, 3, 0]} isAnimationActive={false} />
      </BarChart>
    </ResponsiveContainer>
  );
}

/** One hue from dark to light: operations have no better and worse. The legend names each with its share. */
const SHADES = [1, 0.78, 0.6, 0.46, 0.35, 0.27, 0.2, 0.15, 0.12, 0.1, 0.08];

export function OperationsDonut({ rows }: { rows: Stats["byOp"] }) {
  const total = rows.reduce((sum, row) => sum + row.count, 0);
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-3">
      <div className="relative mx-auto size-40 shrink-0">
        <PieChart width={160} height={160} accessibilityLayer>
          <Pie
            data={rows}
            dataKey="count"
            nameKey="op"
            innerRadius={52}
            outerRadius={76}
            startAngle={90}
            endAngle={-270}
            paddingAngle={1}
            stroke="var(--surface)"
            isAnimationActive={false}
          >
            {rows.map((row, index) => (
              <Cell key={row.op} fill="var(--accent-ink)" fillOpacity={SHADES[index] ?? 0.08} />
            ))}
          </Pie>
          <Tooltip {...TIP} formatter={(value, name) => [count(Number(value)), name]} />
        </PieChart>
        <div className="pointer-events-none absolute inset-0 grid place-content-center text-center">
          <span className="nums text-lg font-semibold">{brief(total)}</span>
          <span className="text-2xs text-ink-3">patches</span>
        </div>
      </div>
      <ul className="min-w-44 flex-1 space-y-1">
        {rows.slice(0, 8).map((row, index) => (
          <li key={row.op} className="flex items-center gap-2 text-xs" title={`${count(row.count)} patches`}>
            <span
              aria-hidden
              className="size-2.5 shrink-0 rounded-[3px] bg-accent-ink"
              style={{ opacity: SHADES[index] ?? 0.08 }}
            />
            <span className="min-w-0 flex-1 truncate font-mono text-2xs text-ink-2">{row.op}</span>
            <span className="nums w-12 text-right font-medium">{percent(row.pct)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
