import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { PatchMonitor } from "../components/live/patchMonitor.tsx";
import { searchOfView, viewOf } from "../lib/panelSearch.ts";
import type { StreamFilter } from "../stream/filter.ts";

export default function LivePage() {
  const search = useSearch({ from: "/shell/live" });
  const navigate = useNavigate({ from: "/live" });
  const { patch, view, ws, q, factory, file, op, requester, status, order } = search;
  const filter = useMemo<StreamFilter>(
    () => ({ q, factory, file, op, requester, status, order }),
    [q, factory, file, op, requester, status, order],
  );
  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  return (
    <>
      <h1 className="sr-only">Live</h1>
      <PatchMonitor
        filter={filter}
        onFilter={change}
        selected={patch}
        onSelect={useCallback((next: string | undefined) => change({ patch: next }), [change])}
        view={useMemo(() => viewOf({ view, ws }), [view, ws])}
        onView={useCallback((next) => change(searchOfView(next)), [change])}
      />
    </>
  );
}
