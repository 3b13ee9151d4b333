import type { ExecutionDetail } from "@shared/contracts";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ChevronLeft, Scale } from "lucide-react";
import { lazy, type ReactNode, Suspense, useCallback, useMemo } from "react";
import { z } from "zod";
import { executionQuery, hilRequestQuery } from "../api/queries.ts";
import { CopyButton, Identifier } from "../components/copy.tsx";
import { CancelDialog, RetryDialog } from "../components/execution/actions.tsx";
import { Attempts } from "../components/execution/attempts.tsx";
import { Change } from "../components/execution/change.tsx";
import { durationOf, isOver } from "../components/execution/view.tsx";
import { RequestView } from "../components/people/answer.tsx";
import { Problem } from "../components/problems.tsx";
import { DecisionView } from "../components/provider/decision.tsx";
import { StatusMark, StatusTag } from "../components/status.tsx";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../components/ui/controls.tsx";
import { Card, CardHeader, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { brief, count, moment, usd } from "../lib/format.ts";
import { type Shortcut, useKeys } from "../lib/keys.ts";
import { useMay } from "../lib/may.ts";
import { lookOf } from "../stream/status.ts";

const Terminal = lazy(() => import("../components/execution/terminal.tsx"));
const TABS = ["output", "change", "prompt", "decision"] as const;

export default function ExecutionPage() {
  const { executionId } = useParams({ from: "/shell/executions/$executionId" });
  const search = useSearch({ from: "/shell/executions/$executionId" });
  const navigate = useNavigate({ from: "/executions/$executionId" });
  const query = useQuery({
    ...executionQuery(executionId),
    refetchInterval: ({ state }) => (state.data !== undefined && isOver(state.data) ? 30_000 : 2_000),
  });
  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  useKeys(
    useMemo<Shortcut[]>(
      () =>
        TABS.map((name, index) => ({
          keys: String(index + 1),
          what: name[0]?.toUpperCase() + name.slice(1),
          group: "Execution",
          run: () => change({ tab: index === 0 ? undefined : name }),
        })),
      [change],
    ),
  );
  const execution = query.data;
  return (
    <div className="min-h-0 min-w-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="Execution">
      <div className="mx-auto w-full max-w-[88rem] p-3 sm:p-4">
        <Link to="/executions" className="mb-2 inline-flex items-center gap-1 text-xs text-ink-3 hover:text-ink">
          <ChevronLeft className="size-3.5" aria-hidden />
          Executions
        </Link>
        {query.isPending ? (
          <SkeletonRows rows={8} />
        ) : execution === undefined ? (
          <>
            <h1 className="sr-only">Execution {executionId}</h1>
            <Problem error={query.error} retry={() => void query.refetch()} />
          </>
        ) : (
          <Whole execution={execution} search={search} change={change} />
        )}
      </div>
    </div>
  );
}

interface Search {
  tab?: (typeof TABS)[number] | undefined;
  attempt?: number | undefined;
}

function Whole({
  execution,
  search,
  change,
}: {
  execution: ExecutionDetail;
  search: Search;
  change: (part: Search) => void;
}) {
  const tab = search.tab ?? "output";
  const last = execution.attempt_list.at(-1)?.attempt;
  const attempt = execution.attempt_list.find((each) => each.attempt === search.attempt)?.attempt ?? last;
  return (
    <>
      <Head execution={execution} />
      <Asked execution={execution} />
      <div className="mt-4 grid items-start gap-4 lg:grid-cols-[20rem_minmax(0,1fr)]">
        <Card>
          <CardHeader
            title={execution.race === null ? "Attempts" : "Race"}
            hint={execution.race === null ? undefined : "the first that passes is applied"}
          />
          <Attempts
            execution={execution}
            selected={attempt}
            onSelect={(chosen) => change({ attempt: chosen === last ? undefined : chosen, tab: undefined })}
          />
        </Card>
        <Tabs
          value={tab}
          onValueChange={(next) => change({ tab: TABS.find((each) => each === next && each !== "output") })}
          className="min-w-0"
        >
          <TabsList aria-label="Execution">
            <TabsTrigger value="output">Output</TabsTrigger>
            <TabsTrigger value="change">Change</TabsTrigger>
            <TabsTrigger value="prompt">Prompt</TabsTrigger>
            <TabsTrigger value="decision">Decision</TabsTrigger>
          </TabsList>
          <TabsContent value="output" className="pt-3">
            {attempt === undefined ? (
              <Empty title="Nothing has run yet">What the provider prints appears here as it prints it.</Empty>
            ) : (
              <Suspense fallback={<SkeletonRows />}>
                <Terminal executionId={execution.execution_id} attempt={attempt} />
              </Suspense>
            )}
            {execution.output ? (
              <section aria-label="What it said last" className="mt-4">
                <h2 className="label mb-1">What it said last</h2>
                <p className="max-w-prose whitespace-pre-wrap break-words text-ink-2">{execution.output}</p>
              </section>
            ) : null}
          </TabsContent>
          <TabsContent value="change" className="pt-3">
            <Change text={execution.patch_data} applied={execution.class === "applied"} />
          </TabsContent>
          <TabsContent value="prompt" className="pt-3">
            <Prompt input={execution.input} />
          </TabsContent>
          <TabsContent value="decision" className="pt-3">
            {execution.decision === null ? (
              <Empty icon={<Scale />} title="No decision is on record">
                The provider was named when this was started.
              </Empty>
            ) : (
              <Card className="p-4">
                <DecisionView decision={execution.decision} />
              </Card>
            )}
          </TabsContent>
        </Tabs>
      </div>
    </>
  );
}

function Head({ execution }: { execution: ExecutionDetail }) {
  const may = useMay("ai:write");
  const { class: ended, error } = execution;
  const over = isOver(execution);
  return (
    <header>
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-80">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="min-w-0 text-xl font-semibold tracking-tight">
              {execution.race === null ? execution.provider_name : `Race of ${execution.race.join(", ")}`}
            </h1>
            <StatusTag status={execution.status} />
            {ended !== null &&
            !(ended === "applied" && execution.status === "completed") &&
            lookOf(ended).word !== lookOf(execution.status).word ? (
              <span className={`text-sm ${lookOf(ended).text}`}>{lookOf(ended).word}</span>
            ) : null}
          </div>
          <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-ink-3">
            {execution.model ? <span className="font-mono break-all">{execution.model}</span> : null}
            <Identifier value={execution.execution_id} label="the execution id" className="text-ink-2" />
            <span>
              asked by <span className="font-mono">{execution.created_by}</span>, {moment(execution.created_at)}
            </span>
          </p>
          <p className="mt-0.5 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-ink-3">
            <span className="inline-flex min-w-0 max-w-full gap-1">
              task
              <Link
                to="/executions"
                search={{ task: execution.task_uuid }}
                className="truncate font-mono text-accent-ink hover:underline"
              >
                {execution.task_uuid}
              </Link>
            </span>
            {execution.order_id === null ? null : (
              <span className="inline-flex min-w-0 max-w-full gap-1">
                order
                <Link
                  to="/orders/$orderId"
                  params={{ orderId: execution.order_id }}
                  className="truncate font-mono text-accent-ink hover:underline"
                >
                  {execution.order_id}
                </Link>
              </span>
            )}
            {execution.batch_id === null ? null : (
              <span className="inline-flex min-w-0 max-w-full items-center gap-1">
                batch <Identifier value={execution.batch_id} label="the batch id" />
              </span>
            )}
          </p>
        </div>
        {may ? (
          <div className="flex gap-2">
            {over ? <RetryDialog execution={execution} /> : <CancelDialog execution={execution} />}
          </div>
        ) : null}
      </div>
      {error !== null && over ? (
        <section
          aria-label="Why it failed"
          className="mt-3 rounded-md border border-failed/30 bg-failed-soft px-4 py-3"
        >
          <p className="flex items-center gap-2 text-failed">
            <StatusMark status="failed" silent />
            <span className="font-mono text-xs font-medium">{error.code}</span>
            {error.file ? <span className="min-w-0 truncate font-mono text-xs text-ink-2">{error.file}</span> : null}
          </p>
          <p className="mt-1 break-words text-ink">{error.message}</p>
        </section>
      ) : null}
      <dl className="mt-4 grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-4">
        <Figure name="Took">{durationOf(execution)}</Figure>
        <Figure name="Cost">{usd(execution.cost_usd)}</Figure>
        <Figure name="Tokens in">{execution.input_tokens === null ? "–" : brief(execution.input_tokens)}</Figure>
        <Figure name="Tokens out">{execution.output_tokens === null ? "–" : brief(execution.output_tokens)}</Figure>
      </dl>
    </header>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="bg-surface px-4 py-2.5">
      <dt className="label">{name}</dt>
      <dd className="nums mt-0.5 text-lg font-semibold">{children}</dd>
    </div>
  );
}

/** What the run asks of a person, where it can be answered at once. */
function Asked({ execution }: { execution: ExecutionDetail }) {
  const id = execution.status === "waiting" ? execution.hil_request_id : null;
  const request = useQuery({ ...hilRequestQuery(id ?? ""), enabled: id !== null, refetchInterval: 5_000 });
  if (id === null || request.data === undefined) return null;
  return (
    <Card className="mt-4 border-validating/40 p-4">
      <RequestView request={request.data} inExecution />
    </Card>
  );
}

const InputSchema = z.looseObject({ prompt: z.string().optional() });

function Prompt({ input }: { input: unknown }) {
  const known = InputSchema.safeParse(input).data;
  const { prompt, ...rest } = known ?? { prompt: typeof input === "string" ? input : undefined };
  if (prompt === undefined && Object.keys(rest).length === 0)
    return <Empty title="No prompt is on record">What a provider is told stands here once it was begun.</Empty>;
  return (
    <div className="space-y-4">
      {prompt === undefined ? null : (
        <section aria-label="Prompt">
          <div className="mb-1 flex items-center justify-between gap-3">
            <h2 className="label">Prompt, {count(prompt.length)} characters</h2>
            <CopyButton text={prompt} label="Copy the prompt">
              Copy
            </CopyButton>
          </div>
          <pre
            tabIndex={0}
            className="max-h-[60vh] overflow-auto rounded-lg border border-line bg-surface p-4 font-mono text-xs leading-5 whitespace-pre-wrap break-words"
          >
            {prompt}
          </pre>
        </section>
      )}
      {Object.keys(rest).length === 0 ? null : (
        <section aria-label="What else it was run with">
          <h2 className="label mb-1">What else a run is made again from</h2>
          <pre
            tabIndex={0}
            className="max-h-96 overflow-auto rounded-lg border border-line bg-surface p-4 font-mono text-xs leading-5"
          >
            {JSON.stringify(rest, null, 2)}
          </pre>
        </section>
      )}
    </div>
  );
}
