import { type HilRequest, HilRequestSchema } from "@shared/contracts";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronLeft, MessageCircleQuestion } from "lucide-react";
import { useCallback, useMemo } from "react";
import { client, need } from "../api/client.ts";
import { hilRequestQuery } from "../api/queries.ts";
import { KINDS, RequestView } from "../components/people/answer.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusMark } from "../components/status.tsx";
import { Button } from "../components/ui/button.tsx";
import { Segmented } from "../components/ui/controls.tsx";
import { Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { cn } from "../lib/cn.ts";
import { ago, instant, until } from "../lib/format.ts";
import { type Shortcut, useKeys } from "../lib/keys.ts";
import { useMedia } from "../lib/media.ts";
import { useListKeys } from "../lib/useListKeys.ts";

const keyOf = (request: HilRequest): string => request.id;
const SHOWN = ["open", "answered", "expired", "cancelled"] as const;
const TITLES: Record<(typeof SHOWN)[number], string> = {
  open: "Open",
  answered: "Answered",
  expired: "Expired",
  cancelled: "Withdrawn",
};
const NOTHING: Record<(typeof SHOWN)[number], [title: string, text: string]> = {
  open: [
    "Nobody waits for you",
    "A run that needs to know something, a plan to approve or a failure to decide on appears here.",
  ],
  answered: ["Nothing was answered yet", "Decided requests stay here, with who decided what."],
  expired: ["Nothing has expired", "What nobody answers in time is decided without an answer."],
  cancelled: ["Nothing was withdrawn", "A request is withdrawn when its run ends otherwise."],
};

export default function PeoplePage() {
  const search = useSearch({ from: "/shell/people" });
  const navigate = useNavigate({ from: "/people" });
  const status = HilRequestSchema.shape.status.safeParse(search.status).data ?? "open";
  const list = useInfiniteQuery({
    queryKey: ["hil", "list", status],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(client.hil.list({ status, limit: 50, ...(pageParam === "" ? {} : { cursor: pageParam }) }, { signal })),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchInterval: 5_000,
  });
  const requests = useMemo(() => list.data?.pages.flatMap((page) => page.requests) ?? [], [list.data]);
  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  const open = useCallback((request: HilRequest) => change({ request: request.id }), [change]);
  const cursor = useListKeys("For people", requests, keyOf, open);
  useKeys(
    useMemo<Shortcut[]>(
      () => [
        { keys: "Escape", what: "Back to the list", group: "For people", run: () => change({ request: undefined }) },
      ],
      [change],
    ),
  );
  const wide = useMedia("(min-width: 1024px)");
  const shown = search.request ?? (wide ? requests[0]?.id : undefined);

  return (
    <div className="flex min-h-0 flex-1">
      <h1 className="sr-only">For people</h1>
      {wide || search.request === undefined ? (
        <section
          aria-label="Requests"
          className={cn(
            "flex min-h-0 min-w-0 flex-col bg-surface",
            wide ? "w-96 shrink-0 border-r border-line" : "flex-1",
          )}
        >
          <div className="flex min-h-11 shrink-0 items-center overflow-x-auto border-b border-line px-3">
            <Segmented
              label="Which requests"
              value={status}
              onChange={(next) => change({ status: next === "open" ? undefined : next, request: undefined })}
              options={SHOWN.map((value) => ({ value, label: TITLES[value] }))}
            />
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="List of requests">
            {list.isPending ? (
              <SkeletonRows rows={8} />
            ) : list.error && requests.length === 0 ? (
              <Problem error={list.error} retry={() => void list.refetch()} />
            ) : requests.length === 0 ? (
              <Empty icon={<MessageCircleQuestion />} title={NOTHING[status][0]}>
                {NOTHING[status][1]}
              </Empty>
            ) : (
              <ul>
                {requests.map((request) => (
                  <li key={request.id} data-row={request.id} className="border-b border-line">
                    <button
                      type="button"
                      aria-current={request.id === shown ? "true" : undefined}
                      onClick={() => open(request)}
                      className={cn(
                        "block w-full px-4 py-2.5 text-left -outline-offset-2",
                        request.id === shown ? "bg-accent-soft" : cursor === request.id ? "bg-hover" : "hover:bg-hover",
                      )}
                    >
                      <span className="flex items-center gap-2 text-xs">
                        <StatusMark status={`hil:${request.status}`} className="size-3" />
                        <span className="font-medium">{KINDS[request.kind]}</span>
                        <span className="nums ml-auto text-ink-3">{ago(Date.now() - instant(request.created_at))}</span>
                      </span>
                      <span className="mt-1 line-clamp-2 break-words">{request.question}</span>
                      <span className="mt-1 flex justify-between gap-3 text-xs text-ink-3">
                        <span className="min-w-0 truncate font-mono">{request.order_id ?? request.execution_id}</span>
                        <span className="shrink-0">
                          {request.status === "open" ? `ends ${until(request.expires_at)}` : request.answered_by}
                        </span>
                      </span>
                    </button>
                  </li>
                ))}
              </ul>
            )}
            {list.hasNextPage ? (
              <div className="flex justify-center p-3">
                <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
                  Older requests
                </Button>
              </div>
            ) : null}
          </div>
        </section>
      ) : null}
      {shown === undefined ? null : (
        <section aria-label="Request" className="min-h-0 min-w-0 flex-1 overflow-y-auto p-4 lg:p-6" tabIndex={0}>
          {wide ? null : (
            <Button variant="ghost" className="mb-3 -ml-2" onClick={() => change({ request: undefined })}>
              <ChevronLeft />
              Requests
            </Button>
          )}
          <Shown id={shown} />
        </section>
      )}
    </div>
  );
}

function Shown({ id }: { id: string }) {
  const query = useQuery({ ...hilRequestQuery(id), refetchInterval: 5_000 });
  if (query.isPending) return <SkeletonRows rows={4} />;
  if (query.data === undefined) return <Problem error={query.error} retry={() => void query.refetch()} />;
  return <RequestView request={query.data} />;
}
