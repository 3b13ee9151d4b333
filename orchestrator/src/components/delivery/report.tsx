import { DeliveryReportSchema, type DeliveryReport } from "@shared/contracts";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { FileCheck2, RefreshCw } from "lucide-react";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { ApiError, client, need } from "../../api/client.ts";
import { count, duration, moment, percent } from "../../lib/format.ts";
import { CopyButton, Identifier } from "../copy.tsx";
import { notify } from "../notices.tsx";
import { Problem } from "../problems.tsx";
import { Button } from "../ui/button.tsx";
import { Segmented } from "../ui/controls.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";
import { useVerify, Verdict, VerifyButton } from "./verify.tsx";

const Rendered = lazy(() => import("./markdown.tsx"));

export const reportQuery = (orderId: string) => ({
  queryKey: ["reports", "order", orderId],
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    (await need(client.delivery.report(orderId, {}, { signal }))).report,
});

/** A report's JSON; null where it is none. */
function parsed(text: string): { raw: unknown; report: DeliveryReport | null } {
  try {
    const raw: unknown = JSON.parse(text);
    return { raw, report: DeliveryReportSchema.safeParse(raw).data ?? null };
  } catch {
    return { raw: null, report: null };
  }
}

/** An order's current report: what it says, what it was made from, and whether it holds. */
export function OrderReport({ orderId, actions }: { orderId: string; actions?: ReactNode }) {
  const queries = useQueryClient();
  const { data: row, error, isPending, refetch } = useQuery(reportQuery(orderId));
  const generate = useMutation({
    mutationFn: () => need(client.delivery.generate({ orderId })),
    onSuccess: async ({ generated }) => {
      notify({ status: "applied", title: generated > 0 ? "Report written" : "The report is current", text: orderId });
      await queries.invalidateQueries({ queryKey: ["reports"] });
    },
    onError: (failure) => notify({ status: "failed", title: "The report could not be written", text: failure.message }),
  });
  const [shown, setShown] = useState<"report" | "markdown">("report");
  const { raw, report } = useMemo(() => parsed(row?.report_json ?? "null"), [row]);
  const { state, verify } = useVerify(orderId, raw);

  if (isPending) return <SkeletonRows rows={8} />;
  if (error instanceof ApiError && error.detail.code === "NOT_FOUND")
    return (
      <Empty icon={<FileCheck2 />} title="No report of this order yet">
        One is written when its last patch settles, and every night.
        <div className="mt-3">
          <Button onClick={() => generate.mutate()} disabled={generate.isPending}>
            {generate.isPending ? "Writing…" : "Write it now"}
          </Button>
        </div>
      </Empty>
    );
  if (error) return <Problem error={error} retry={() => void refetch()} />;

  return (
    <Card className="overflow-hidden">
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
        <div className="min-w-0">
          <h2 className="truncate text-sm font-semibold">{report?.asked.order?.title ?? orderId}</h2>
          <p className="flex flex-wrap items-center gap-x-2 text-xs text-ink-3">
            <Identifier value={orderId} label="the order id" />
            <span className="nums">version {row.version}</span>
            <span>{moment(row.created_at)}</span>
          </p>
        </div>
        <div className="flex flex-wrap items-center gap-1.5">
          {actions}
          <Segmented
            label="How the report is shown"
            value={shown}
            onChange={setShown}
            options={[
              { value: "report", label: "Report" },
              { value: "markdown", label: "Markdown" },
            ]}
          />
          <CopyButton text={row.report_md} label="Copy Markdown">
            Copy Markdown
          </CopyButton>
          <Button onClick={() => generate.mutate()} disabled={generate.isPending}>
            <RefreshCw />
            {generate.isPending ? "Writing…" : "Write anew"}
          </Button>
          <VerifyButton state={state} verify={verify} />
        </div>
      </header>
      <Verdict state={state} />
      {report ? <Figures report={report} /> : null}
      <div className="px-4 py-4 sm:px-6" data-testid="report">
        {shown === "markdown" ? (
          <pre className="overflow-x-auto font-mono text-xs leading-5 whitespace-pre-wrap break-words">
            {row.report_md}
          </pre>
        ) : (
          <Suspense fallback={<SkeletonRows rows={10} />}>
            <Rendered text={row.report_md} />
          </Suspense>
        )}
      </div>
    </Card>
  );
}

function Figures({ report: { delivered } }: { report: DeliveryReport }) {
  const figures: [string, string, string][] = [
    [
      "Success",
      percent(delivered.success_rate),
      `${count(delivered.patches.succeeded)} of ${count(delivered.patches.total)} patches`,
    ],
    [
      "Lines",
      `+${count(delivered.lines_added)} −${count(delivered.lines_removed)}`,
      `in ${count(delivered.files.items.length + delivered.files.omitted)} files`,
    ],
    [
      "Refused",
      count(delivered.patches.failed),
      `${count(delivered.failures.items.filter(({ resolution }) => resolution !== null).length)} of ${count(delivered.failures.items.length)} batches mended`,
    ],
    ["Took", duration(delivered.duration_ms), `${duration(delivered.engine_ms)} in the engine`],
  ];
  return (
    <dl className="grid grid-cols-2 gap-px border-b border-line bg-line lg:grid-cols-4">
      {figures.map(([name, value, beside]) => (
        <div key={name} className="bg-surface px-4 py-2.5">
          <dt className="label">{name}</dt>
          <dd className="mt-0.5 flex flex-wrap items-baseline gap-x-2">
            <span className="nums text-lg font-semibold">{value}</span>
            <span className="nums text-xs text-ink-3">{beside}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
