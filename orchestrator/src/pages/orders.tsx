import { FACTORIES, FactoryNameSchema, type Order, OrderStatusSchema } from "@shared/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ListTree } from "lucide-react";
import { useCallback, useMemo, useRef } from "react";
import { client, need } from "../api/client.ts";
import { type Column, DataTable } from "../components/dataTable.tsx";
import { SearchField } from "../components/live/filters.tsx";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusTag } from "../components/status.tsx";
import { Button } from "../components/ui/button.tsx";
import { Select } from "../components/ui/controls.tsx";
import { Card, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { ago, instant, moment } from "../lib/format.ts";
import { type Shortcut, useKeys } from "../lib/keys.ts";
import { useMedia } from "../lib/media.ts";
import { useListKeys } from "../lib/useListKeys.ts";
import { lookOf } from "../stream/status.ts";

const keyOf = (order: Order): string => order.id;

const columns: Column<Order>[] = [
  { id: "status", title: "Status", cell: (order) => <StatusTag status={order.status} />, className: "w-28" },
  {
    id: "id",
    title: "Order",
    cell: (order) => (
      <Link
        to="/orders/$orderId"
        params={{ orderId: order.id }}
        className="font-mono text-xs whitespace-nowrap hover:underline"
        onClick={(event) => event.stopPropagation()}
      >
        {order.id}
      </Link>
    ),
    className: "w-px",
  },
  {
    id: "title",
    title: "Title",
    cell: (order) => <span className="line-clamp-1 min-w-40 break-all">{order.title}</span>,
  },
  {
    id: "factory",
    title: "Factory",
    cell: (order) => <span className="whitespace-nowrap text-ink-2">{order.factory}</span>,
    className: "w-px",
  },
  {
    id: "project",
    title: "Project",
    cell: (order) => <span className="block max-w-40 truncate text-ink-2">{order.project_id ?? "–"}</span>,
    className: "hidden w-px lg:table-cell",
  },
  {
    id: "updated",
    title: "Changed",
    end: true,
    cell: (order) => (
      <time dateTime={order.updated_at} title={moment(order.updated_at)} className="whitespace-nowrap text-ink-3">
        {ago(Date.now() - instant(order.updated_at))}
      </time>
    ),
    className: "w-px",
  },
];

export default function OrdersPage() {
  const search = useSearch({ from: "/shell/orders" });
  const navigate = useNavigate({ from: "/orders" });
  const status = OrderStatusSchema.safeParse(search.status).data;
  const factory = FactoryNameSchema.safeParse(search.factory).data;
  const query = useInfiniteQuery({
    queryKey: ["orders", "list", status, factory, search.project],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(
        client.orders.list(
          {
            limit: 100,
            ...(status ? { status } : {}),
            ...(factory ? { factory } : {}),
            ...(search.project ? { project_id: search.project } : {}),
            ...(pageParam === "" ? {} : { cursor: pageParam }),
          },
          { signal },
        ),
      ),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchInterval: 15_000,
  });
  const all = useMemo(() => query.data?.pages.flatMap((page) => page.orders) ?? [], [query.data]);
  const orders = useMemo(() => {
    const needle = search.q?.toLowerCase();
    return needle === undefined
      ? all
      : all.filter((order) => `${order.id} ${order.title} ${order.project_id ?? ""}`.toLowerCase().includes(needle));
  }, [all, search.q]);

  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  const open = useCallback(
    (order: Order) => void navigate({ to: "/orders/$orderId", params: { orderId: order.id } }),
    [navigate],
  );
  const cursor = useListKeys("Orders", orders, keyOf, open);
  const searchRef = useRef<HTMLInputElement>(null);
  useKeys(
    useMemo<Shortcut[]>(
      () => [{ keys: "/", what: "Search", group: "Orders", run: () => searchRef.current?.focus() }],
      [],
    ),
  );
  const wide = useMedia("(min-width: 700px)");
  const narrowed =
    status !== undefined || factory !== undefined || search.q !== undefined || search.project !== undefined;

  return (
    <PageBody
      title="Orders"
      tools={
        <>
          <SearchField
            inputRef={searchRef}
            label="Search these orders"
            value={search.q}
            onChange={(q) => change({ q })}
            className="w-full sm:w-64"
          />
          <Select
            label="Status"
            all="Any status"
            value={status}
            onChange={(next) => change({ status: next })}
            options={OrderStatusSchema.options.map((value) => ({ value, label: lookOf(value).word }))}
          />
          <Select
            label="Factory"
            all="All factories"
            value={factory}
            onChange={(next) => change({ factory: next })}
            options={FACTORIES.map((value) => ({ value, label: value }))}
          />
        </>
      }
    >
      <Card>
        {query.isPending ? (
          <SkeletonRows rows={8} />
        ) : query.error && all.length === 0 ? (
          <Problem error={query.error} retry={() => void query.refetch()} />
        ) : orders.length === 0 ? (
          narrowed ? (
            <Empty icon={<ListTree />} title="No order passes these filters">
              <Button
                className="mt-3"
                onClick={() => change({ q: undefined, status: undefined, factory: undefined, project: undefined })}
              >
                Clear all
              </Button>
            </Empty>
          ) : (
            <Empty icon={<ListTree />} title="No orders yet">
              An order is work that a factory delivers; <code className="font-mono text-xs">POST /api/orders</code>{" "}
              places one.
            </Empty>
          )
        ) : wide ? (
          <DataTable label="Orders" columns={columns} rows={orders} keyOf={keyOf} onOpen={open} cursor={cursor} />
        ) : (
          <ul>
            {orders.map((order) => (
              <li key={order.id} className="border-b border-line last:border-0">
                <Link to="/orders/$orderId" params={{ orderId: order.id }} className="block px-4 py-2.5 hover:bg-hover">
                  <span className="flex items-center justify-between gap-3">
                    <span className="min-w-0 truncate font-mono text-xs">{order.id}</span>
                    <StatusTag status={order.status} />
                  </span>
                  <span className="mt-1 line-clamp-2 break-words">{order.title}</span>
                  <span className="mt-0.5 flex justify-between gap-3 text-xs text-ink-3">
                    <span>{order.factory}</span>
                    <span>{ago(Date.now() - instant(order.updated_at))}</span>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Card>
      {query.hasNextPage ? (
        <div className="flex justify-center">
          <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetching}>
            {query.isFetching ? "Reading…" : "Older orders"}
          </Button>
        </div>
      ) : null}
    </PageBody>
  );
}
