import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { duration, instant, moment } from "../../lib/format.ts";
import { Problem } from "../problems.tsx";
import { StatusTag } from "../status.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogClose, SheetContent } from "../ui/dialog.tsx";
import { Card, SkeletonRows } from "../ui/surface.tsx";
import { Findings } from "./findings.tsx";
import { checkQuery, latestQuery } from "./queries.ts";
import { RecentOutcomes } from "./uptime.tsx";

function Panel({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  return (
    <Dialog open onOpenChange={(open) => (open ? undefined : onClose())}>
      <SheetContent title={title}>
        <header className="flex h-12 shrink-0 items-center justify-between gap-3 border-b border-line px-4">
          <h2 className="min-w-0 truncate text-sm font-semibold">{title}</h2>
          <DialogClose asChild>
            <Button variant="ghost" size="icon" aria-label="Close">
              <X />
            </Button>
          </DialogClose>
        </header>
        <div className="min-h-0 flex-1 space-y-4 overflow-y-auto p-4" tabIndex={0} role="region" aria-label={title}>
          {children}
        </div>
      </SheetContent>
    </Dialog>
  );
}

/** A Worker: how it stands, and its latest check with its attempts. */
export function WorkerPanel({ worker, onClose }: { worker: string; onClose: () => void }) {
  const { data, error, isPending, refetch } = useQuery(latestQuery(worker));
  return (
    <Panel title={worker} onClose={onClose}>
      {isPending ? (
        <SkeletonRows rows={6} />
      ) : error ? (
        <Problem error={error} retry={() => void refetch()} />
      ) : (
        <div data-testid="worker-health" className="space-y-4">
          <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-1.5 text-sm">
            <dt className="text-ink-3">Stands</dt>
            <dd className="flex flex-wrap items-center gap-2">
              <StatusTag status={data.worker.status} />
              {data.worker.flapping ? <StatusTag status="flapping" /> : null}
              {data.worker.changed_at === null ? null : (
                <span className="text-xs text-ink-3">since {moment(data.worker.changed_at)}</span>
              )}
            </dd>
            <dt className="text-ink-3">Latest</dt>
            <dd>
              <RecentOutcomes recent={data.worker.recent} />
            </dd>
            {data.worker.heartbeat_at === null ? null : (
              <>
                <dt className="text-ink-3">Heartbeat</dt>
                <dd>{moment(data.worker.heartbeat_at)}</dd>
              </>
            )}
          </dl>
          {data.check === null ? (
            <p className="text-sm text-ink-3">No check of it has ended yet.</p>
          ) : (
            <Findings check={data.check} />
          )}
        </div>
      )}
    </Panel>
  );
}

/** A check: what each Worker said. */
export function CheckPanel({ uuid, onClose }: { uuid: string; onClose: () => void }) {
  const { data: check, error, isPending, refetch } = useQuery(checkQuery(uuid));
  return (
    <Panel title="Health check" onClose={onClose}>
      {isPending ? (
        <SkeletonRows rows={6} />
      ) : error ? (
        <Problem error={error} retry={() => void refetch()} />
      ) : (
        <div data-testid="health-check" className="space-y-4">
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-3">
            <StatusTag status={check.status} />
            <span>{moment(check.created_at)}</span>
            <span>
              {check.trigger_type} by {check.requested_by}
            </span>
            {check.finished_at === null ? null : (
              <span className="nums">{duration(instant(check.finished_at) - instant(check.created_at))}</span>
            )}
            <span>{check.profiles.join(", ")}</span>
          </p>
          {check.ai_logs.map((log) => (
            <Card key={log.id} className="p-3">
              <p className="label mb-1">Summed up by {log.model}</p>
              <p className="break-words text-sm">{log.response ?? log.error}</p>
            </Card>
          ))}
          {check.worker_checks.map((workerCheck) => (
            <Card key={workerCheck.uuid} className="p-3">
              <h3 className="mb-2 text-sm font-semibold">{workerCheck.worker_name}</h3>
              <Findings check={workerCheck} />
            </Card>
          ))}
        </div>
      )}
    </Panel>
  );
}
