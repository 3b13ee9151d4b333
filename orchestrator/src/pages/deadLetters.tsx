import { type DeadLetter, DeadLetterSchema, ProviderTaskMessageSchema, type VibeError } from "@shared/contracts";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronDown, MailX, RotateCw, Trash2 } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { client, need } from "../api/client.ts";
import { CopyButton, Identifier } from "../components/copy.tsx";
import { Refused } from "../components/execution/actions.tsx";
import { notify } from "../components/notices.tsx";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusTag } from "../components/status.tsx";
import { Button } from "../components/ui/button.tsx";
import { Select } from "../components/ui/controls.tsx";
import { AlertDialog, AlertDialogCancel, AlertDialogContent, AlertDialogTrigger } from "../components/ui/dialog.tsx";
import { Card, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { cn } from "../lib/cn.ts";
import { ago, instant, moment, plural } from "../lib/format.ts";
import { useMay } from "../lib/may.ts";
import { useListKeys } from "../lib/useListKeys.ts";
import { lookOf } from "../stream/status.ts";

const keyOf = (letter: DeadLetter): string => letter.id;

export default function DeadLettersPage() {
  const search = useSearch({ from: "/shell/dead-letters" });
  const navigate = useNavigate({ from: "/dead-letters" });
  const status = DeadLetterSchema.shape.status.safeParse(search.status).data;
  const query = useInfiniteQuery({
    queryKey: ["dead-letters", status],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(
        client.ai.deadLetters.list(
          { limit: 50, ...(status ? { status } : {}), ...(pageParam === "" ? {} : { cursor: pageParam }) },
          { signal },
        ),
      ),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchInterval: 15_000,
  });
  const letters = useMemo(() => query.data?.pages.flatMap((page) => page.deadLetters) ?? [], [query.data]);
  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  const open = useCallback(
    ({ id }: DeadLetter) => change({ letter: search.letter === id ? undefined : id }),
    [change, search.letter],
  );
  const cursor = useListKeys("Dead letters", letters, keyOf, open);
  return (
    <PageBody
      title="Dead letters"
      className="max-w-5xl"
      tools={
        <>
          <Select
            label="Status"
            all="Any status"
            value={status}
            onChange={(next) => change({ status: next })}
            options={DeadLetterSchema.shape.status.options.map((value) => ({
              value,
              label: lookOf(`letter:${value}`).word,
            }))}
          />
          <p className="hidden text-xs text-ink-3 sm:block">Messages of the queue that no consumer could work off.</p>
        </>
      }
    >
      <Card>
        {query.isPending ? (
          <SkeletonRows rows={6} />
        ) : query.error && letters.length === 0 ? (
          <Problem error={query.error} retry={() => void query.refetch()} />
        ) : letters.length === 0 ? (
          status === undefined ? (
            <Empty icon={<MailX />} title="No dead letters">
              A message that its queue gives up after several tries is kept here, to be sent again or discarded.
            </Empty>
          ) : (
            <Empty icon={<MailX />} title="No letter passes this filter">
              <Button className="mt-3" onClick={() => change({ status: undefined })}>
                Clear
              </Button>
            </Empty>
          )
        ) : (
          <ul>
            {letters.map((letter) => (
              <Letter
                key={letter.id}
                letter={letter}
                open={search.letter === letter.id}
                marked={cursor === letter.id}
                onOpen={() => open(letter)}
              />
            ))}
          </ul>
        )}
      </Card>
      {query.hasNextPage ? (
        <div className="flex justify-center">
          <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>
            Older letters
          </Button>
        </div>
      ) : null}
    </PageBody>
  );
}

function Letter({
  letter,
  open,
  marked,
  onOpen,
}: {
  letter: DeadLetter;
  open: boolean;
  marked: boolean;
  onOpen: () => void;
}) {
  const task = ProviderTaskMessageSchema.safeParse(letter.message).data;
  return (
    <li
      data-row={letter.id}
      data-letter={letter.id}
      className={cn("border-b border-line last:border-0", marked && "bg-accent-soft")}
    >
      <button
        type="button"
        aria-expanded={open}
        onClick={onOpen}
        className="flex w-full items-start gap-3 px-4 py-2.5 text-left -outline-offset-2 hover:bg-hover"
      >
        <StatusTag status={`letter:${letter.status}`} className="mt-px shrink-0" />
        <span className="min-w-0 flex-1">
          <span className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-medium">{task?.provider ?? "Unknown message"}</span>
            {task ? <span className="min-w-0 truncate font-mono text-xs text-ink-2">{task.task_id}</span> : null}
          </span>
          <span className="mt-0.5 line-clamp-2 break-words text-xs text-ink-3">
            {letter.reason ?? "no reason is on record"}
          </span>
        </span>
        <span className="nums shrink-0 text-right text-xs text-ink-3">
          <time dateTime={letter.created_at} title={moment(letter.created_at)} className="block">
            {ago(Date.now() - instant(letter.created_at))}
          </time>
          {letter.attempts > 0 ? plural(letter.attempts, "try", "tries") : null}
        </span>
        <ChevronDown
          className={cn("mt-0.5 size-4 shrink-0 text-ink-3 transition-transform", open && "rotate-180")}
          aria-hidden
        />
      </button>
      {open ? <Opened letter={letter} /> : null}
    </li>
  );
}

function Opened({ letter }: { letter: DeadLetter }) {
  const may = useMay("ai:write");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<VibeError | null>(null);
  const queries = useQueryClient();
  const decide = async (how: "redrive" | "discard"): Promise<boolean> => {
    setBusy(true);
    setError(null);
    const answer = await client.ai.deadLetters[how](letter.id);
    setBusy(false);
    if (answer.ok)
      notify({
        status: `letter:${answer.deadLetter.status}`,
        title: how === "redrive" ? "Sent to its queue again" : "Discarded",
        text: letter.id,
      });
    else setError(answer.error);
    await queries.invalidateQueries({ queryKey: ["dead-letters"] });
    return answer.ok;
  };
  const text = JSON.stringify(letter.message, null, 2);
  const isTask = ProviderTaskMessageSchema.safeParse(letter.message).success;
  return (
    <div className="px-4 pb-4">
      <dl className="grid grid-cols-[6.500rem_minmax(0,1fr)] gap-x-3 gap-y-1.5">
        <dt className="text-ink-3">Message</dt>
        <dd>
          <Identifier value={letter.id} label="the message id" />
        </dd>
        <dt className="text-ink-3">Queue</dt>
        <dd className="font-mono text-xs leading-5">{letter.queue}</dd>
        {letter.execution_id === null ? null : (
          <>
            <dt className="text-ink-3">Execution</dt>
            <dd className="min-w-0 truncate">
              <Link
                to="/executions/$executionId"
                params={{ executionId: letter.execution_id }}
                className="font-mono text-xs text-accent-ink hover:underline"
              >
                {letter.execution_id}
              </Link>
            </dd>
          </>
        )}
        <dt className="text-ink-3">Given up</dt>
        <dd>{moment(letter.created_at)}</dd>
        {letter.redriven_at === null ? null : (
          <>
            <dt className="text-ink-3">Redriven</dt>
            <dd>{moment(letter.redriven_at)}</dd>
          </>
        )}
      </dl>
      <div className="relative mt-3">
        <pre
          tabIndex={0}
          role="region"
          aria-label="What the message holds"
          className="max-h-72 overflow-auto rounded-md border border-line bg-sunken p-3 pr-10 font-mono text-xs leading-5"
        >
          {text}
        </pre>
        <CopyButton text={text} label="Copy the message" className="absolute top-2 right-3" />
      </div>
      <Refused error={error} />
      {may && letter.status === "dead" ? (
        <div className="mt-3 flex flex-wrap items-center gap-2">
          <Button variant="primary" disabled={busy || !isTask} onClick={() => void decide("redrive")}>
            <RotateCw />
            Redrive
          </Button>
          <DiscardDialog busy={busy} discard={() => decide("discard")} />
          {isTask ? null : <span className="text-xs text-ink-3">The queue could do nothing with it.</span>}
        </div>
      ) : null}
    </div>
  );
}

function DiscardDialog({ busy, discard }: { busy: boolean; discard: () => Promise<boolean> }) {
  const [open, setOpen] = useState(false);
  return (
    <AlertDialog open={open} onOpenChange={setOpen}>
      <AlertDialogTrigger asChild>
        <Button variant="danger" disabled={busy}>
          <Trash2 />
          Discard
        </Button>
      </AlertDialogTrigger>
      <AlertDialogContent
        title="Discard this message?"
        description="It is never sent again. It stays in this list as discarded, and its execution stays as it is."
      >
        <div className="mt-5 flex justify-end gap-2">
          <AlertDialogCancel asChild>
            <Button size="md">Keep it</Button>
          </AlertDialogCancel>
          <Button
            size="md"
            variant="danger"
            disabled={busy}
            onClick={() => void discard().finally(() => setOpen(false))}
          >
            {busy ? "Discarding…" : "Discard it"}
          </Button>
        </div>
      </AlertDialogContent>
    </AlertDialog>
  );
}
