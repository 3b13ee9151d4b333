import { HEALTH_PROFILES, type HealthCheck, type StartHealthCheck, type WorkerHealth } from "@shared/contracts";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { HeartPulse, Play, Stethoscope } from "lucide-react";
import { useCallback, useMemo } from "react";
import { client, need } from "../api/client.ts";
import { Checks } from "../components/health/checks.tsx";
import { CheckPanel, WorkerPanel } from "../components/health/panels.tsx";
import { DAYS, summaryQuery, workersQuery } from "../components/health/queries.ts";
import { Schedules } from "../components/health/schedules.tsx";
import { nameOf, WorkerRows } from "../components/health/workers.tsx";
import { notify } from "../components/notices.tsx";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusMark } from "../components/status.tsx";
import { Button } from "../components/ui/button.tsx";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../components/ui/controls.tsx";
import { Card, CardHeader, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { count } from "../lib/format.ts";
import { type Shortcut, useKeys } from "../lib/keys.ts";
import { useListKeys } from "../lib/useListKeys.ts";

const TABS = ["workers", "checks", "schedules"] as const;
const tabOf = (value: string): (typeof TABS)[number] | undefined =>
  TABS.find((tab) => tab === value && tab !== "workers");
const NONE: readonly WorkerHealth[] = [];

export default function HealthPage() {
  const { tab = "workers", worker, check } = useSearch({ from: "/shell/health" });
  const navigate = useNavigate({ from: "/health" });
  const queries = useQueryClient();
  const workers = useQuery(workersQuery);
  const summary = useQuery(summaryQuery);

  const openWorker = useCallback(
    (opened: WorkerHealth) => void navigate({ search: (before) => ({ ...before, worker: opened.worker_name }) }),
    [navigate],
  );
  const openCheck = useCallback(
    (opened: Pick<HealthCheck, "uuid">) => void navigate({ search: (before) => ({ ...before, check: opened.uuid }) }),
    [navigate],
  );
  const close = () => void navigate({ search: ({ tab: kept }) => ({ tab: kept }) });

  const run = useMutation({
    mutationFn: (input: StartHealthCheck) => need(client.healthChecks.start(input)),
    onSuccess: async ({ check: begun }) => {
      openCheck(begun);
      await queries.invalidateQueries({ queryKey: ["healthChecks", "list"] });
    },
    onError: (failure) => notify({ status: "failed", title: "The check could not be begun", text: failure.message }),
  });
  const { mutate } = run;
  const list = workers.data ?? NONE;
  const cursor = useListKeys("Health", list, nameOf, openWorker);
  useKeys(
    useMemo<Shortcut[]>(() => [{ keys: "r", what: "Check all now", group: "Health", run: () => mutate({}) }], [mutate]),
  );

  return (
    <PageBody
      title="Health"
      tools={
        <>
          <Totals totals={summary.data?.totals} />
          <div className="ml-auto flex gap-2">
            <Button onClick={() => mutate({ profiles: [...HEALTH_PROFILES] })} disabled={run.isPending}>
              <Stethoscope />
              Deep check
            </Button>
            <Button variant="primary" onClick={() => mutate({})} disabled={run.isPending}>
              <Play />
              Check all
            </Button>
          </div>
        </>
      }
    >
      <Tabs value={tab} onValueChange={(next) => void navigate({ search: { tab: tabOf(next) }, replace: true })}>
        <TabsList aria-label="Health">
          <TabsTrigger value="workers">Workers</TabsTrigger>
          <TabsTrigger value="checks">Checks</TabsTrigger>
          <TabsTrigger value="schedules">Schedules</TabsTrigger>
        </TabsList>
        <TabsContent value="workers" className="pt-4">
          <Card>
            <CardHeader title={`The last ${DAYS} days`} hint="A bar a day: how many of its checks passed" />
            {workers.isPending ? (
              <SkeletonRows rows={6} />
            ) : workers.error && list.length === 0 ? (
              <Problem error={workers.error} retry={() => void workers.refetch()} />
            ) : list.length === 0 ? (
              <Empty icon={<HeartPulse />} title="No Worker is checked">
                HEALTH_WORKER_TARGETS of the orchestrator names whom to check.
              </Empty>
            ) : (
              <WorkerRows
                workers={list}
                summary={summary.data}
                cursor={cursor}
                onOpen={openWorker}
                onRun={({ worker_name }) => mutate({ workers: [worker_name] })}
                running={run.isPending}
              />
            )}
          </Card>
        </TabsContent>
        <TabsContent value="checks" className="pt-4">
          <Checks onOpen={openCheck} />
        </TabsContent>
        <TabsContent value="schedules" className="pt-4">
          <Schedules />
        </TabsContent>
      </Tabs>
      {check === undefined ? null : <CheckPanel uuid={check} onClose={close} />}
      {worker === undefined || check !== undefined ? null : <WorkerPanel worker={worker} onClose={close} />}
    </PageBody>
  );
}

function Totals({ totals }: { totals: { up: number; down: number; unknown: number; flapping: number } | undefined }) {
  if (!totals) return null;
  return (
    <ul aria-label="How Workers stand" className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
      {(["up", "down", "flapping", "unknown"] as const)
        .filter((standing) => standing === "up" || totals[standing] > 0)
        .map((standing) => (
          <li key={standing} className="flex items-center gap-1.5">
            <StatusMark status={standing} silent />
            <span className="nums font-semibold">{count(totals[standing])}</span>
            <span className="text-ink-2">{standing}</span>
          </li>
        ))}
    </ul>
  );
}
