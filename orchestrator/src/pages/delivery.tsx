import { DeliveryReportSchema } from "@shared/contracts";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronLeft, FileCheck2, RefreshCw } from "lucide-react";
import { useCallback, useMemo, useRef } from "react";
import { client, need } from "../api/client.ts";
import { OrderReport } from "../components/delivery/report.tsx";
import { SearchField } from "../components/live/filters.tsx";
import { notify } from "../components/notices.tsx";
import { Problem } from "../components/problems.tsx";
import { Button } from "../components/ui/button.tsx";
import { Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { cn } from "../lib/cn.ts";
import { ago, count, instant, percent, plural } from "../lib/format.ts";
import { type Shortcut, useKeys } from "../lib/keys.ts";
import { useMedia } from "../lib/media.ts";
import { useListKeys } from "../lib/useListKeys.ts";

interface Listed {
  orderId: string;
  title: string;
  success: number | null;
  patches: number | null;
  version: number;
  at: string;
}

const keyOf = (report: Listed): string => report.orderId;

/** The order's title as it stood when the report was written. */
function titleOf(json: string): string {
  try {
    return DeliveryReportSchema.pick({ asked: true }).safeParse(JSON.parse(json)).data?.asked.order?.title ?? "";
  } catch {
    return "";
  }
}

export default function DeliveryPage() {
  const { order: selected, q } = useSearch({ from: "/shell/delivery" });
  const navigate = useNavigate({ from: "/delivery" });
  const queries = useQueryClient();
  const list = useInfiniteQuery({
    queryKey: ["reports", "list"],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(client.delivery.reports({ limit: 50, ...(pageParam === "" ? {} : { cursor: pageParam }) }, { signal })),
    getNextPageParam: (page) => (typeof page.cursor === "string" ? page.cursor : undefined),
    refetchInterval: 30_000,
  });
  const reports = useMemo<Listed[]>(() => {
    const all = (list.data?.pages ?? []).flatMap((page) =>
      page.reports.map((row) => ({
        orderId: row.order_id,
        title: titleOf(row.report_json),
        success: row.success_rate,
        patches: row.total_patches,
        version: row.version,
        at: row.created_at,
      })),
    );
    const needle = q?.toLowerCase();
    return needle === undefined
      ? all
      : all.filter(({ orderId, title }) => `${orderId} ${title}`.toLowerCase().includes(needle));
  }, [list.data, q]);

  const open = useCallback(
    (report: Listed) => void navigate({ search: (before) => ({ ...before, order: report.orderId }), replace: true }),
    [navigate],
  );
  const cursor = useListKeys("Delivery", reports, keyOf, open);
  const searchRef = useRef<HTMLInputElement>(null);
  useKeys(
    useMemo<Shortcut[]>(
      () => [{ keys: "/", what: "Search", group: "Delivery", run: () => searchRef.current?.focus() }],
      [],
    ),
  );
  const wide = useMedia("(min-width: 1024px)");
  const shown = selected ?? (wide ? reports[0]?.orderId : undefined);

  const generate = useMutation({
    mutationFn: () => need(client.delivery.generate()),
    onSuccess: async ({ generated, queued }) => {
      notify({
        status: "applied",
        title: `${plural(generated, "report")} written`,
        ...(queued > 0 ? { text: `${count(queued)} more are queued.` } : {}),
      });
      await queries.invalidateQueries({ queryKey: ["reports"] });
    },
    onError: (failure) =>
      notify({ status: "failed", title: "The reports could not be written", text: failure.message }),
  });

  return (
    <div className="flex min-h-0 flex-1">
      <h1 className="sr-only">Delivery</h1>
      {wide || selected === undefined ? (
        <section
          aria-label="Reports"
          className={cn("flex min-h-0 flex-col bg-surface", wide ? "w-84 shrink-0 border-r border-line" : "flex-1")}
        >
          <div className="flex min-h-11 shrink-0 items-center gap-2 border-b border-line px-3">
            <SearchField
              inputRef={searchRef}
              label="Search these reports"
              value={q}
              onChange={(next) => void navigate({ search: (before) => ({ ...before, q: next }), replace: true })}
              className="flex-1"
            />
            <Button onClick={() => generate.mutate()} disabled={generate.isPending} className="h-8">
              <RefreshCw />
              {generate.isPending ? "Writing…" : "Write all"}
            </Button>
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="List of reports">
            {list.isPending ? (
              <SkeletonRows rows={10} />
            ) : list.error && reports.length === 0 ? (
              <Problem error={list.error} retry={() => void list.refetch()} />
            ) : reports.length === 0 ? (
              <Empty title={q === undefined ? "No reports yet" : "No report goes by that name"}>
                {q === undefined ? "One is written for each order when its last patch settles, and every night." : null}
              </Empty>
            ) : (
              <ul>
                {reports.map((report) => (
                  <li key={report.orderId} data-row={report.orderId} className="border-b border-line">
                    <button
                      type="button"
                      aria-current={report.orderId === shown ? "true" : undefined}
                      onClick={() => open(report)}
                      className={cn(
                        "block w-full px-4 py-2.5 text-left -outline-offset-2",
                        report.orderId === shown
                          ? "bg-accent-soft"
                          : cursor === report.orderId
                            ? "bg-hover"
                            : "hover:bg-hover",
                      )}
                    >
                      <span className="flex items-baseline justify-between gap-3">
                        <span className="min-w-0 truncate font-mono text-xs">{report.orderId}</span>
                        <span className="nums shrink-0 text-sm font-semibold">{percent(report.success)}</span>
                      </span>
                      {report.title ? (
                        <span className="mt-0.5 line-clamp-1 break-all text-ink-2">{report.title}</span>
                      ) : null}
                      <span className="mt-0.5 flex justify-between gap-3 text-xs text-ink-3">
                        <span className="nums">
                          {plural(report.patches ?? 0, "patch", "patches")} · v{report.version}
                        </span>
                        <span>{ago(Date.now() - instant(report.at))}</span>
                      </span>
                    </button>
                  </li>
                ))}
              </ul>
            )}
            {list.hasNextPage ? (
              <div className="flex justify-center p-3">
                <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetching}>
                  Older reports
                </Button>
              </div>
            ) : null}
          </div>
        </section>
      ) : null}
      {shown === undefined ? (
        wide && !list.isPending && !list.error ? (
          <Empty icon={<FileCheck2 />} title="Nothing delivered yet" className="flex-1">
            A report says what was asked, what was done, what failed and how it was mended, and how to prove it.
          </Empty>
        ) : null
      ) : (
        <section
          aria-label={`Report of ${shown}`}
          tabIndex={0}
          className="min-h-0 min-w-0 flex-1 overflow-y-auto p-3 sm:p-4"
        >
          {wide ? null : (
            <Link to="/delivery" className="mb-2 inline-flex items-center gap-1 text-xs text-ink-3 hover:text-ink">
              <ChevronLeft className="size-3.5" aria-hidden />
              Reports
            </Link>
          )}
          <div className="mx-auto max-w-5xl">
            <OrderReport
              key={shown}
              orderId={shown}
              actions={
                <Button asChild>
                  <Link to="/orders/$orderId" params={{ orderId: shown }}>
                    Open order
                  </Link>
                </Button>
              }
            />
          </div>
        </section>
      )}
    </div>
  );
}
