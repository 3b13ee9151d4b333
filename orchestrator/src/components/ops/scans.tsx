import type { OpsScan } from "@shared/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Radar } from "lucide-react";
import { useMemo } from "react";
import { client, need } from "../../api/client.ts";
import { count, moment, when, instant } from "../../lib/format.ts";
import { lookOf } from "../../stream/status.ts";
import { Problem } from "../problems.tsx";
import { StatusTag } from "../status.tsx";
import { Button } from "../ui/button.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";
import { paceOf } from "./queries.ts";
import { scanStatus, scanTook, scopeWord } from "./view.ts";

/** The scans there were, newest first. One that runs is looked at often. */
export function Scans() {
  const list = useInfiniteQuery({
    queryKey: ["ops", "scans"],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(client.ops.scans({ limit: 50, ...(pageParam === "" ? {} : { cursor: pageParam }) }, { signal })),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchInterval: ({ state }) =>
      paceOf(state.data?.pages.some((page) => page.scans.some(({ outcome }) => outcome === null)) ?? false),
  });
  const scans = useMemo(() => list.data?.pages.flatMap((page) => page.scans) ?? [], [list.data]);
  return (
    <>
      <Card>
        {list.isPending ? (
          <SkeletonRows rows={6} />
        ) : list.error && scans.length === 0 ? (
          <Problem error={list.error} retry={() => void list.refetch()} />
        ) : scans.length === 0 ? (
          <Empty icon={<Radar />} title="No scans yet">
            One runs each hour, and at 09:00 UTC over everything; <span className="font-medium">Scan now</span> begins
            one.
          </Empty>
        ) : (
          <ul aria-label="Scans">
            {scans.map((scan) => (
              <ScanRow key={scan.id} scan={scan} />
            ))}
          </ul>
        )}
      </Card>
      {list.hasNextPage ? (
        <div className="mt-3 flex justify-center">
          <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
            {list.isFetchingNextPage ? "Reading…" : "Older scans"}
          </Button>
        </div>
      ) : null}
    </>
  );
}

function ScanRow({ scan }: { scan: OpsScan }) {
  const status = scanStatus(scan);
  return (
    <li
      data-scan={scan.id}
      data-outcome={scan.outcome ?? "running"}
      className="border-b border-line px-4 py-3 last:border-0"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <StatusTag status={status} />
        <span className="font-medium">{scopeWord(scan.scope)}</span>
        <time dateTime={scan.started_at} title={moment(scan.started_at)} className="nums text-xs text-ink-3">
          {when(instant(scan.started_at))}
        </time>
        <span className="nums text-xs text-ink-3">
          {scan.finished_at === null ? "for " : "took "}
          {scanTook(scan)}
        </span>
        {scan.started_by === null ? null : (
          <span className="text-xs text-ink-3">
            by <span className="font-mono">{scan.started_by}</span>
          </span>
        )}
      </div>
      <ScanTotals scan={scan} className="mt-1.5" />
      {scan.outcome === null || scan.outcome === "done" ? null : (
        <div className={`mt-1.5 text-xs ${lookOf(status).text}`}>
          <p>{sentence(lookOf(status).meaning)}</p>
          {scan.error === null ? null : (
            <p className="mt-0.5 font-mono break-words whitespace-pre-wrap text-ink-2">{scan.error}</p>
          )}
        </div>
      )}
    </li>
  );
}

const sentence = (text: string): string => `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`;

/** What a scan read, and what came of it. */
export function ScanTotals({ scan, className = "" }: { scan: OpsScan; className?: string }) {
  const { totals } = scan;
  if (totals === null)
    return scan.outcome === null ? (
      <p className={`text-xs text-ink-3 ${className}`}>Its counts follow once it has ended.</p>
    ) : null;
  const counts = [
    ["Worker lines", totals.worker_logs],
    ["CI lines", totals.build_logs],
    ["skipped", totals.skipped],
    ["looked at", totals.reviewed],
    ["filed", totals.issues_opened],
    ["came back", totals.issues_reopened],
    ["closed", totals.issues_closed],
    ["comments", totals.comments],
  ] as const;
  return (
    <dl className={`flex flex-wrap gap-x-4 gap-y-0.5 text-xs ${className}`}>
      {counts.map(([name, value]) => (
        <div key={name} className="flex flex-row-reverse items-baseline justify-end gap-1">
          <dt className="text-ink-3">{name}</dt>
          <dd className={value === 0 ? "nums text-ink-3" : "nums font-semibold"}>{count(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
