import {
  type ColumnDef,
  createSortedRowModel,
  type RowData,
  rowSortingFeature,
  type SortingState,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "../lib/cn.ts";

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric, basic: sortFn_basic },
});

/** A column: what it is called, what it sorts by, how it is drawn. */
export interface Column<Row> {
  id: string;
  title: string;
  /** What it sorts by; absent: it does not sort. */
  value?: (row: Row) => string | number | null;
  cell: (row: Row) => ReactNode;
  /** Numbers stand to the right. */
  end?: boolean;
  className?: string;
}

interface Sort {
  id: string;
  desc: boolean;
}

/** Rows under sortable heads. `sort` belongs to the page, so that the address bar can hold it. */
export function DataTable<Row extends RowData>({
  label,
  columns,
  rows,
  keyOf,
  sort,
  onSort,
  onOpen,
  cursor,
}: {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  sort?: Sort | undefined;
  onSort?: (sort: Sort | undefined) => void;
  onOpen?: (row: Row) => void;
  cursor?: string | null;
}) {
  const definitions: ColumnDef<typeof features, Row>[] = columns.map((column) => ({
    id: column.id,
    accessorFn: (row) => column.value?.(row) ?? null,
    enableSorting: column.value !== undefined && onSort !== undefined,
    sortFn: "basic",
  }));
  const sorting: SortingState = sort === undefined ? [] : [sort];
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: keyOf,
    state: { sorting },
    onSortingChange: (change) => {
      const next = typeof change === "function" ? change(sorting) : change;
      onSort?.(next[0]);
    },
  });
  const byId = new Map(columns.map((column) => [column.id, column]));

  return (
    <div className="overflow-x-auto" role="region" aria-label={label} tabIndex={0}>
      <table className="w-full border-collapse text-sm">
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} className="border-b border-line">
              {group.headers.map(({ column }) => {
                const shown = byId.get(column.id);
                const sorted = column.getIsSorted();
                return (
                  <th
                    key={column.id}
                    scope="col"
                    aria-sort={sorted === false ? undefined : sorted === "asc" ? "ascending" : "descending"}
                    className={cn(
                      "h-8 px-3 text-left font-medium whitespace-nowrap first:pl-4 last:pr-4",
                      shown?.end && "text-right",
                      shown?.className,
                    )}
                  >
                    {column.getCanSort() ? (
                      <button
                        type="button"
                        onClick={() => column.toggleSorting()}
                        className={cn(
                          "label inline-flex items-center gap-1 rounded hover:text-ink",
                          shown?.end && "flex-row-reverse",
                          sorted !== false && "text-ink",
                        )}
                      >
                        {shown?.title}
                        {sorted === "asc" ? (
                          <ArrowUp className="size-3" aria-hidden />
                        ) : sorted === "desc" ? (
                          <ArrowDown className="size-3" aria-hidden />
                        ) : null}
                      </button>
                    ) : (
                      <span className="label">{shown?.title}</span>
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr
              key={row.id}
              data-row={row.id}
              {...(onOpen ? { onClick: () => onOpen(row.original) } : {})}
              className={cn(
                "border-b border-line last:border-0",
                onOpen && "cursor-pointer hover:bg-hover",
                cursor === row.id && "bg-accent-soft",
              )}
            >
              {columns.map((column) => (
                <td
                  key={column.id}
                  className={cn("h-10 px-3 first:pl-4 last:pr-4", column.end && "nums text-right", column.className)}
                >
                  {column.cell(row.original)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
