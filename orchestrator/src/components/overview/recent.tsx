import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { when } from "../../lib/format.ts";
import type { StreamFilter } from "../../stream/filter.ts";
import { useHistory } from "../../stream/history.ts";
import { mergedBooks } from "../../stream/PatchBook.ts";
import { useStream } from "../../stream/store.ts";
import { lookOf } from "../../stream/status.ts";
import { LineCounts, Path } from "../lines.tsx";
import { Problem } from "../problems.tsx";
import { StatusMark } from "../status.tsx";
import { Empty, SkeletonRows } from "../ui/surface.tsx";

const SHOWN = 9;
const ALL: StreamFilter = {};

/** The latest patches, as they happen. */
export function Recent() {
  const history = useHistory(ALL);
  const revision = useStream((state) => state.revision);
  const book = useStream((state) => state.book);
  const rows = useMemo(
    () => ({
      revision,
      latest: mergedBooks(book, history.book)
        .rows.toSorted((a, b) => b.at - a.at || b.lastSeq - a.lastSeq)
        .slice(0, SHOWN),
    }),
    [book, revision, history.book],
  ).latest;
  if (history.error && rows.length === 0) return <Problem error={history.error} retry={() => void history.refetch()} />;
  if (history.isPending && rows.length === 0) return <SkeletonRows rows={SHOWN} />;
  if (rows.length === 0)
    return (
      <Empty title="No patches yet" className="py-10">
        The first one appears here the moment it is asked for.
      </Empty>
    );
  return (
    <ul className="pb-1.5">
      {rows.map((row) => (
        <li key={row.key}>
          <Link
            to="/live"
            search={{ patch: row.patchId, ...(row.orderId === null ? {} : { order: row.orderId }) }}
            className="flex h-8.5 items-center gap-3 px-4 -outline-offset-2 hover:bg-hover"
          >
            <StatusMark status={row.status} silent />
            <span className={`w-18 shrink-0 text-xs font-medium ${lookOf(row.status).text}`}>
              {lookOf(row.status).word}
            </span>
            <Path path={row.file} className="flex-1" />
            <LineCounts added={row.linesAdded} removed={row.linesRemoved} className="hidden sm:inline" />
            <span className="hidden w-28 shrink-0 truncate font-mono text-2xs text-ink-3 md:block">
              {row.orderId ?? ""}
            </span>
            <span className="nums shrink-0 text-xs text-ink-3">{when(row.at)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
