import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, CircleCheck, CircleX, FileText, History, LoaderCircle } from "lucide-react";
import type { Replay as ReplayPage, ReplayBatch, ReplayTree } from "@shared/contracts";
import { Slider } from "radix-ui";
import { type ReactNode, useMemo } from "react";
import { client, need } from "../../api/client.ts";
import { cn } from "../../lib/cn.ts";
import { count, moment, plural } from "../../lib/format.ts";
import { type Shortcut, useKeys } from "../../lib/keys.ts";
import { textHash, treeHashOf } from "../../lib/treeHash.ts";
import { Identifier } from "../copy.tsx";
import { Problem } from "../problems.tsx";
import { Button } from "../ui/button.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";

const MAX_SHOWN_LINES = 3_000;

/** All of an order's batches, page after page. */
async function readBatches(orderId: string, signal: AbortSignal): Promise<ReplayBatch[]> {
  const batches: ReplayBatch[] = [];
  for (let after: number | null = 0; after !== null;) {
    const page: ReplayPage = await need(client.replay.batches(orderId, { after, limit: 500 }, { signal }));
    batches.push(...page.batches);
    after = page.next;
  }
  return batches;
}

/** A tree as it was after an entry, and the hash that its listing comes to here. */
async function readTree(orderId: string, seq: number, signal: AbortSignal) {
  const files: ReplayTree["tree"] = [];
  let recorded = "";
  for (let after: string | null = ""; after !== null;) {
    const page: ReplayTree = await need(client.replay.tree(orderId, seq, after === "" ? {} : { after }, { signal }));
    files.push(...page.tree);
    recorded = page.treeHash;
    after = page.next;
  }
  return { files, recorded, computed: await treeHashOf(files) };
}

/** The tree as it was after each batch, and any file of it; each listing is hashed here and held against the record. */
export function Replay({
  orderId,
  seq,
  file,
  onSeq,
  onFile,
}: {
  orderId: string;
  seq: number | undefined;
  file: string | undefined;
  onSeq: (seq: number) => void;
  onFile: (file: string | undefined) => void;
}) {
  const steps = useQuery({ queryKey: ["replay", orderId], queryFn: ({ signal }) => readBatches(orderId, signal) });
  const list = useMemo(() => steps.data ?? [], [steps.data]);
  const found = list.findIndex((step) => step.seq === seq);
  const index = found === -1 ? list.length - 1 : found;
  const step = list[index];
  const before = list[index - 1];

  const go = (next: number): void => {
    const target = list[Math.min(list.length - 1, Math.max(0, next))];
    if (target) onSeq(target.seq);
  };
  const shortcuts: Shortcut[] = useMemo(
    () => [
      { keys: "[", what: "One batch back", group: "Replay", run: () => go(index - 1) },
      { keys: "]", what: "One batch on", group: "Replay", run: () => go(index + 1) },
    ],
    [index, list],
  );
  useKeys(shortcuts);

  if (steps.isPending) return <SkeletonRows rows={6} />;
  if (steps.error) return <Problem error={steps.error} retry={() => void steps.refetch()} />;
  if (!step)
    return (
      <Empty icon={<History />} title="Nothing to replay yet">
        The first applied batch makes the first step.
      </Empty>
    );
  return (
    <div className="space-y-4">
      <Card className="p-4">
        <div className="flex items-center gap-3">
          <Button
            variant="secondary"
            size="icon"
            aria-label="One batch back"
            disabled={index === 0}
            onClick={() => go(index - 1)}
          >
            <ChevronLeft />
          </Button>
          <Slider.Root
            className="relative flex h-7 flex-1 touch-none items-center select-none"
            value={[index]}
            min={0}
            max={Math.max(1, list.length - 1)}
            step={1}
            disabled={list.length < 2}
            onValueChange={([next = 0]) => go(next)}
          >
            <Slider.Track className="relative h-1 flex-1 rounded-full bg-line-strong">
              <Slider.Range className="absolute h-full rounded-full bg-accent" />
            </Slider.Track>
            <Slider.Thumb
              aria-label="Batch"
              aria-valuetext={`Batch ${index + 1} of ${list.length}, ${moment(step.ts)}`}
              className="block size-4 rounded-full border-2 border-accent bg-surface shadow-pop"
            />
          </Slider.Root>
          <Button
            variant="secondary"
            size="icon"
            aria-label="One batch on"
            disabled={index === list.length - 1}
            onClick={() => go(index + 1)}
          >
            <ChevronRight />
          </Button>
        </div>
        <div className="mt-3 flex flex-wrap items-baseline gap-x-4 gap-y-1 text-xs text-ink-3">
          <span className="nums text-sm font-medium text-ink">
            Batch {index + 1} of {list.length}
          </span>
          <span>
            {step.kind === "revert" ? "Revert" : (step.phase ?? "Patches")} by {step.requester}
          </span>
          <Identifier value={step.batchId} label="the batch id" className="text-ink-2" />
          <time dateTime={step.ts}>{moment(step.ts)}</time>
          <span className="nums">log entry {step.seq}</span>
        </div>
      </Card>
      <Tree
        orderId={orderId}
        seq={step.seq}
        expected={step.treeHash}
        before={before?.seq ?? 0}
        file={file}
        onFile={onFile}
      />
    </div>
  );
}

function Verdict({ state, children }: { state: "ok" | "bad" | "busy"; children: ReactNode }) {
  const Icon = state === "ok" ? CircleCheck : state === "bad" ? CircleX : LoaderCircle;
  return (
    <p
      role="status"
      className={cn(
        "flex items-center gap-1.5 text-xs font-medium",
        state === "ok" ? "text-applied" : state === "bad" ? "text-failed" : "text-ink-3",
      )}
    >
      <Icon className={cn("size-3.5 shrink-0", state === "busy" && "animate-spin")} aria-hidden />
      {children}
    </p>
  );
}

function Tree({
  orderId,
  seq,
  expected,
  before,
  file,
  onFile,
}: {
  orderId: string;
  seq: number;
  expected: string;
  before: number;
  file: string | undefined;
  onFile: (file: string | undefined) => void;
}) {
  const treeAt = (at: number) => ({
    queryKey: ["replay", orderId, at, "tree"],
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }: { signal: AbortSignal }) => readTree(orderId, at, signal),
  });
  const tree = useQuery(treeAt(seq));
  const previous = useQuery(treeAt(before));
  const was = useMemo(() => new Map(previous.data?.files.map((each) => [each.path, each.sha256])), [previous.data]);

  if (tree.isPending) return <SkeletonRows rows={8} />;
  if (tree.error) return <Problem error={tree.error} retry={() => void tree.refetch()} />;
  const { files, computed } = tree.data;
  const shown = files.find((each) => each.path === file);
  return (
    <div className="grid gap-4 lg:grid-cols-[18rem_minmax(0,1fr)]">
      <Card className="self-start">
        <header className="border-b border-line px-4 py-2.5">
          <h2 className="text-sm font-semibold">
            Tree <span className="nums font-normal text-ink-3">{plural(files.length, "file")}</span>
          </h2>
          {computed === expected ? (
            <Verdict state="ok">Matches the recorded tree hash</Verdict>
          ) : (
            <Verdict state="bad">Is not the recorded tree</Verdict>
          )}
          <Identifier value={expected} label="the tree hash" short className="text-ink-3" />
        </header>
        <ul className="max-h-[60vh] overflow-y-auto py-1" tabIndex={0} aria-label="Files of the tree">
          {files.map((each) => {
            const known = was.get(each.path);
            const mark =
              previous.data === undefined ? "" : known === undefined ? "A" : known === each.sha256 ? "" : "M";
            return (
              <li key={each.path}>
                <button
                  type="button"
                  aria-current={each.path === file ? "true" : undefined}
                  onClick={() => onFile(each.path)}
                  className={cn(
                    "flex h-7 w-full items-center gap-2 px-4 text-left font-mono text-xs -outline-offset-2",
                    each.path === file ? "bg-accent-soft" : "hover:bg-hover",
                  )}
                >
                  <span className="min-w-0 flex-1 truncate" title={each.path}>
                    {each.path}
                  </span>
                  {mark ? (
                    <span
                      title={mark === "A" ? "Added by this batch" : "Changed by this batch"}
                      className={cn("font-semibold", mark === "A" ? "text-applied" : "text-validating")}
                    >
                      {mark}
                    </span>
                  ) : null}
                </button>
              </li>
            );
          })}
        </ul>
      </Card>
      {shown ? (
        <FileAt orderId={orderId} seq={seq} path={shown.path} sha256={shown.sha256} />
      ) : (
        <Card>
          <Empty icon={<FileText />} title={file ? "This file was not there then" : "Choose a file"}>
            {file ? (
              <span className="font-mono text-xs break-all">{file}</span>
            ) : (
              "It is shown as it was after this batch."
            )}
          </Empty>
        </Card>
      )}
    </div>
  );
}

function FileAt({ orderId, seq, path, sha256 }: { orderId: string; seq: number; path: string; sha256: string }) {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["replay", orderId, seq, "file", path],
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const { file } = await need(client.replay.file(orderId, seq, path, { signal }));
      return { ...file, computed: await textHash(file.content) };
    },
  });
  if (isPending) return <SkeletonRows rows={10} />;
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  const lines = data.content.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return (
    <Card className="min-w-0 self-start overflow-hidden">
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line px-4 py-2.5">
        <h2 className="min-w-0 truncate font-mono text-xs">{path}</h2>
        {data.path !== path ? null : data.computed === sha256 ? (
          <Verdict state="ok">{count(lines.length)} lines, as hashed in the tree</Verdict>
        ) : (
          <Verdict state="bad">Not the content that the tree names</Verdict>
        )}
      </header>
      <div
        className="max-h-[60vh] overflow-auto bg-surface py-2"
        tabIndex={0}
        role="region"
        aria-label={`Content of ${path}`}
      >
        <table className="font-mono text-xs leading-5">
          <tbody>
            {lines.slice(0, MAX_SHOWN_LINES).map((line, index) => (
              <tr key={index}>
                <td className="nums w-14 pr-4 text-right text-ink-3 select-none">{index + 1}</td>
                <td className="pr-6 whitespace-pre">{line}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {lines.length > MAX_SHOWN_LINES ? (
          <p className="px-4 py-2 text-xs text-ink-3">and {plural(lines.length - MAX_SHOWN_LINES, "line")} more</p>
        ) : null}
      </div>
    </Card>
  );
}
