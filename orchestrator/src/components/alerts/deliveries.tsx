import type { AlertDelivery } from "@shared/contracts";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, need } from "../../api/client.ts";
import { cn } from "../../lib/cn.ts";
import { duration, moment, plural } from "../../lib/format.ts";
import { notify } from "../notices.tsx";
import { Problem } from "../problems.tsx";
import { Button } from "../ui/button.tsx";
import { SkeletonRows } from "../ui/surface.tsx";

const LOOKS: Record<AlertDelivery["status"], { word: string; look: string }> = {
  pending: { word: "Waiting", look: "bg-validating-soft text-validating" },
  delivered: { word: "Delivered", look: "bg-applied-soft text-applied" },
  failed: { word: "Failed", look: "bg-failed-soft text-failed" },
  cancelled: { word: "Cancelled", look: "bg-hover text-ink-2" },
};

/** What a webhook was sent and is to be sent, each with a way to send it once more. */
export function Deliveries({ webhookId }: { webhookId: string }) {
  const queries = useQueryClient();
  const list = useInfiniteQuery({
    queryKey: ["alerts", "deliveries", webhookId],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(
        client.alerts.deliveries(
          webhookId,
          { limit: 20, ...(pageParam === "" ? {} : { cursor: pageParam }) },
          { signal },
        ),
      ),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchInterval: 5_000,
  });
  const resend = useMutation({
    mutationFn: (id: string) => need(client.alerts.resend(id)),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["alerts", "deliveries", webhookId] }),
    onError: (failure) => notify({ status: "failed", title: "It could not be sent again", text: failure.message }),
  });
  const deliveries = list.data?.pages.flatMap((page) => page.deliveries) ?? [];
  if (list.isPending) return <SkeletonRows rows={3} />;
  if (list.error && deliveries.length === 0) return <Problem error={list.error} retry={() => void list.refetch()} />;
  if (deliveries.length === 0) return <p className="px-4 py-3 text-sm text-ink-3">Nothing was sent yet.</p>;
  return (
    <>
      <ul aria-label="Deliveries">
        {deliveries.map((delivery) => (
          <li key={delivery.id} className="flex items-center gap-3 border-t border-line px-4 py-2">
            <div className="min-w-0 flex-1">
              <p className="flex flex-wrap items-center gap-2 text-sm">
                <span
                  className={cn(
                    "inline-flex h-5 items-center rounded px-1.5 text-2xs font-medium",
                    LOOKS[delivery.status].look,
                  )}
                >
                  {LOOKS[delivery.status].word}
                </span>
                <span className="font-mono text-xs">{delivery.kind}</span>
                <span className="text-xs text-ink-3">{moment(delivery.created_at)}</span>
              </p>
              <p className="mt-0.5 text-xs break-words text-ink-3">
                {plural(delivery.attempts, "attempt")}
                {delivery.duration_ms === null ? "" : `, ${duration(delivery.duration_ms)}`}
                {delivery.error === null
                  ? delivery.response_status === null
                    ? ""
                    : `: ${delivery.response_status}`
                  : `: ${delivery.error}`}
                {delivery.next_attempt_at === null || delivery.attempts === 0
                  ? ""
                  : `; next at ${moment(delivery.next_attempt_at)}`}
              </p>
            </div>
            <Button onClick={() => resend.mutate(delivery.id)} disabled={resend.isPending}>
              Send again
            </Button>
          </li>
        ))}
      </ul>
      {list.hasNextPage ? (
        <div className="flex justify-center border-t border-line p-2">
          <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetching}>
            Older deliveries
          </Button>
        </div>
      ) : null}
    </>
  );
}
