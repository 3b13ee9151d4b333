import type { ProviderStatus } from "@shared/contracts";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Bot, Scale } from "lucide-react";
import { type FormEvent, useCallback, useMemo } from "react";
import { client, need } from "../api/client.ts";
import { providersQuery } from "../api/queries.ts";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { DecisionView } from "../components/provider/decision.tsx";
import { Success } from "../components/provider/intervals.tsx";
import { ProviderPanel } from "../components/provider/panel.tsx";
import { BreakerState, HealthState, KeyState, Spend, StandingTag } from "../components/provider/state.tsx";
import { Button } from "../components/ui/button.tsx";
import { Input } from "../components/ui/controls.tsx";
import { Dialog, DialogContent, SheetContent } from "../components/ui/dialog.tsx";
import { Card, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { cn } from "../lib/cn.ts";
import { count, plural } from "../lib/format.ts";
import { formText } from "../lib/formText.ts";
import { type Shortcut, useKeys } from "../lib/keys.ts";
import { useMedia } from "../lib/media.ts";
import { useListKeys } from "../lib/useListKeys.ts";

const keyOf = ({ provider }: ProviderStatus): string => provider.name;
export default function ProvidersPage() {
  const search = useSearch({ from: "/shell/providers" });
  const navigate = useNavigate({ from: "/providers" });
  const query = useQuery(providersQuery);
  const providers = useMemo(() => query.data ?? [], [query.data]);
  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  const open = useCallback(({ provider }: ProviderStatus) => change({ provider: provider.name }), [change]);
  const cursor = useListKeys("Providers", providers, keyOf, open);
  useKeys(
    useMemo<Shortcut[]>(
      () => [
        { keys: "Escape", what: "Close the provider", group: "Providers", run: () => change({ provider: undefined }) },
      ],
      [change],
    ),
  );
  const wide = useMedia("(min-width: 1280px)");
  const chosen = providers.find(({ provider }) => provider.name === search.provider);
  const takes = providers.filter(({ available }) => available).length;
  const explain = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const task = formText(event.currentTarget, "task");
    if (task !== "") change({ task });
  };
  const panel = chosen ? <ProviderPanel status={chosen} onClose={() => change({ provider: undefined })} /> : null;

  return (
    <div className="flex min-h-0 flex-1">
      <PageBody
        title="Providers"
        wide
        tools={
          <>
            <p className="mr-auto text-sm text-ink-2">
              {query.data ? `${count(takes)} of ${plural(providers.length, "provider")} take work` : " "}
            </p>
            <form onSubmit={explain} className="flex w-full gap-2 sm:w-auto">
              <Input
                key={search.task}
                name="task"
                aria-label="Task whose decision is explained"
                placeholder="Task, as ORD-7.1"
                defaultValue={search.task ?? ""}
                spellCheck={false}
                className="font-mono text-xs sm:w-52"
              />
              <Button type="submit" className="h-8">
                <Scale />
                Explain
              </Button>
            </form>
          </>
        }
      >
        <Card className="overflow-hidden">
          {query.isPending ? (
            <SkeletonRows rows={8} />
          ) : query.error && providers.length === 0 ? (
            <Problem error={query.error} retry={() => void query.refetch()} />
          ) : providers.length === 0 ? (
            <Empty icon={<Bot />} title="No providers">
              Providers stand in the orchestrator's registry; this one has none.
            </Empty>
          ) : (
            <>
              <div
                aria-hidden
                className={cn(
                  "label hidden gap-x-6 border-b border-line bg-sunken px-4 py-1.5 lg:grid",
                  wide && chosen !== undefined ? COLUMNS.beside : COLUMNS.alone,
                )}
              >
                <span>Provider</span>
                <span>State</span>
                <span className={cn(wide && chosen !== undefined && "xl:hidden")}>Spent today</span>
                <span>Success, 90 % interval</span>
              </div>
              <ul aria-label="Providers">
                {providers.map((status) => (
                  <Strip
                    key={status.provider.name}
                    status={status}
                    selected={status === chosen}
                    marked={cursor === status.provider.name}
                    narrow={wide && chosen !== undefined}
                    onOpen={() => open(status)}
                  />
                ))}
              </ul>
            </>
          )}
        </Card>
      </PageBody>
      {panel === null ? null : wide ? (
        <aside
          aria-label="Provider"
          className="flex min-h-0 w-[27rem] shrink-0 flex-col border-l border-line bg-surface"
        >
          {panel}
        </aside>
      ) : (
        <Dialog open onOpenChange={(next) => (next ? undefined : change({ provider: undefined }))}>
          <SheetContent title="Provider">{panel}</SheetContent>
        </Dialog>
      )}
      {search.task === undefined ? null : <Explained task={search.task} onClose={() => change({ task: undefined })} />}
    </div>
  );
}

/** The list's columns, alone and beside the panel of one provider. */
const COLUMNS = {
  alone: "lg:grid-cols-[minmax(10rem,1.100fr)_minmax(11rem,1fr)_9rem_minmax(13rem,1.300fr)]",
  beside: "xl:grid-cols-[minmax(8rem,1fr)_13.500rem_minmax(12rem,14rem)]",
} as const;

/** A provider in one line of a wide screen, in a block of a narrow one. */
function Strip({
  status,
  selected,
  marked,
  narrow,
  onOpen,
}: {
  status: ProviderStatus;
  selected: boolean;
  marked: boolean;
  /** The panel stands beside the list. */
  narrow: boolean;
  onOpen: () => void;
}) {
  const { provider, budget, breaker, health, running } = status;
  return (
    <li
      data-row={provider.name}
      data-provider={provider.name}
      className={cn(
        "relative border-b border-line last:border-0",
        selected ? "bg-accent-soft" : marked ? "bg-hover" : "hover:bg-hover",
      )}
    >
      <div className={cn("grid gap-x-6 gap-y-3 px-4 py-3 sm:grid-cols-2", narrow ? COLUMNS.beside : COLUMNS.alone)}>
        <div className="min-w-0">
          <button
            type="button"
            onClick={onOpen}
            aria-current={selected ? "true" : undefined}
            className="text-left text-sm font-semibold after:absolute after:inset-0 focus-visible:outline-offset-2"
          >
            {provider.title}
          </button>
          <p className="truncate font-mono text-2xs text-ink-3" title={provider.default_model}>
            {provider.default_model}
          </p>
          <div className="mt-1.5">
            <StandingTag status={status} />
          </div>
        </div>
        <dl className="grid grid-cols-[4.250rem_minmax(0,1fr)] content-start gap-x-2 gap-y-1 text-xs">
          <dt className="text-ink-3">Health</dt>
          <dd className="min-w-0">
            <HealthState health={health} />
          </dd>
          <dt className="text-ink-3">Breaker</dt>
          <dd className="min-w-0">
            <BreakerState breaker={breaker} />
          </dd>
          <dt className="text-ink-3">Key</dt>
          <dd>
            <KeyState present={status.keyPresent} secret={provider.secret} />
          </dd>
        </dl>
        <div className={cn("min-w-0 space-y-1.5", narrow && "xl:hidden")}>
          <Spend budget={budget} />
          <p className="nums flex justify-between text-xs">
            <span className="text-ink-3">Running</span>
            <span>
              {count(running)} <span className="text-ink-3">of {count(provider.concurrency)}</span>
            </span>
          </p>
        </div>
        <Success success={status.success} />
      </div>
    </li>
  );
}

/** The decision that chose a task's provider. */
function Explained({ task, onClose }: { task: string; onClose: () => void }) {
  const query = useQuery({
    queryKey: ["explain", task],
    queryFn: async ({ signal }) => (await need(client.ai.explain(task, { signal }))).decision,
    retry: false,
  });
  return (
    <Dialog open onOpenChange={(open) => (open ? undefined : onClose())}>
      <DialogContent
        title="Why this provider"
        description={<span className="font-mono text-xs">{task}</span>}
        className="max-w-4xl"
      >
        {query.isPending ? (
          <SkeletonRows rows={4} />
        ) : query.data === undefined ? (
          <Problem error={query.error} retry={() => void query.refetch()} className="py-6" />
        ) : (
          <DecisionView decision={query.data} />
        )}
      </DialogContent>
    </Dialog>
  );
}
