import type { HilRequest, VibeError } from "@shared/contracts";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { client } from "../../api/client.ts";
import { cn } from "../../lib/cn.ts";
import { ago, instant, moment, until } from "../../lib/format.ts";
import { useMay } from "../../lib/may.ts";
import { Refused } from "../execution/actions.tsx";
import { notify } from "../notices.tsx";
import { StatusTag } from "../status.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Textarea } from "../ui/controls.tsx";

export const KINDS: Record<HilRequest["kind"], string> = {
  clarification: "Question",
  "plan-approval": "Plan to approve",
  failure: "Failure to decide on",
};

/** A request whole: what is asked, about what, and how it can be answered or was. */
export function RequestView({ request, inExecution = false }: { request: HilRequest; inExecution?: boolean }) {
  const over = request.status !== "open" || instant(request.expires_at) <= Date.now();
  return (
    <article aria-label={KINDS[request.kind]} data-request={request.id}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="text-base font-semibold">{KINDS[request.kind]}</h2>
        <StatusTag status={`hil:${request.status === "open" && over ? "expired" : request.status}`} />
        <p className="text-xs text-ink-3">
          <time dateTime={request.created_at} title={moment(request.created_at)}>
            asked {ago(Date.now() - instant(request.created_at))} ago
          </time>
          {request.status === "open" && !over ? (
            <>
              , its run goes on without an answer{" "}
              <time dateTime={request.expires_at} title={moment(request.expires_at)}>
                {until(request.expires_at)}
              </time>
            </>
          ) : null}
        </p>
      </div>
      {inExecution ? null : (
        <p className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 text-xs">
          {request.order_id === null ? null : (
            <span className="text-ink-3">
              order{" "}
              <Link
                to="/orders/$orderId"
                params={{ orderId: request.order_id }}
                className="font-mono text-accent-ink hover:underline"
              >
                {request.order_id}
              </Link>
            </span>
          )}
          {request.execution_id === null ? null : (
            <span className="text-ink-3">
              execution{" "}
              <Link
                to="/executions/$executionId"
                params={{ executionId: request.execution_id }}
                className="font-mono break-all text-accent-ink hover:underline"
              >
                {request.execution_id}
              </Link>
            </span>
          )}
          {request.task_uuid === null ? null : (
            <span className="text-ink-3">
              task <span className="font-mono text-ink-2">{request.task_uuid}</span>
            </span>
          )}
        </p>
      )}
      <div className="mt-3 max-w-prose border-l-2 border-line-strong pl-4 text-base whitespace-pre-wrap break-words">
        {request.question}
      </div>
      {request.answer === null ? null : (
        <div className="mt-4 max-w-prose">
          <p className="label">
            Answered by <span className="font-mono">{request.answered_by}</span>
            {request.answered_at === null ? "" : `, ${moment(request.answered_at)}`}
          </p>
          <p className="mt-1 rounded-md bg-applied-soft px-3 py-2 text-base whitespace-pre-wrap break-words">
            {request.answer}
          </p>
        </div>
      )}
      {over ? null : <AnswerForm key={request.id} request={request} />}
    </article>
  );
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function AnswerForm({ request }: { request: HilRequest }) {
  const may = useMay("hil:write");
  const [text, setText] = useState("");
  const [busy, setBusy] = useState<string | null>(null);
  const [error, setError] = useState<VibeError | null>(null);
  const queries = useQueryClient();
  const { options, kind } = request;
  // A plan and a failure are decided by one of the options that are offered, as a run has to know what each means.
  const free = kind === "clarification" || options.length === 0;
  if (!may) return <p className="mt-4 text-sm text-ink-3">Your token may not answer: it needs the scope hil:write.</p>;

  const answer = async (said: string): Promise<void> => {
    setBusy(said);
    setError(null);
    const result = await client.hil.answer(request.id, said);
    setBusy(null);
    if (!result.ok) setError(result.error);
    else notify({ status: "hil:answered", title: "Answered", text: said });
    // Another may have been first: what stands is shown either way.
    await Promise.all(["hil", "telemetry", "execution"].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  };
  return (
    <form
      className="mt-4 max-w-prose"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") void answer(text.trim());
      }}
    >
      {options.length > 0 ? (
        <div role="group" aria-label="Options" className={cn("flex flex-wrap gap-2", free && "mb-3")}>
          {options.map((option, index) => (
            <Button
              key={option}
              size="md"
              variant={index === 0 && !free ? "primary" : "secondary"}
              className="h-auto min-h-8 max-w-full py-1.5 text-left whitespace-normal break-words"
              disabled={busy !== null}
              onClick={() => void answer(option)}
            >
              {busy === option ? "Sending…" : capitalised(option)}
            </Button>
          ))}
        </div>
      ) : null}
      {free ? (
        <>
          <Field label={options.length > 0 ? "Or in your own words" : "Your answer"}>
            <Textarea
              rows={3}
              maxLength={20_000}
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter" && (event.metaKey || event.ctrlKey))
                  event.currentTarget.form?.requestSubmit();
              }}
            />
          </Field>
          <div className="mt-2 flex items-center gap-3">
            <Button type="submit" size="md" variant="primary" disabled={busy !== null || text.trim() === ""}>
              {busy === text.trim() && busy !== null ? "Sending…" : "Answer"}
            </Button>
            <span className="text-xs text-ink-3">The first answer decides, and its run goes on.</span>
          </div>
        </>
      ) : (
        <p className="mt-2 text-xs text-ink-3">The first answer decides, and its run goes on.</p>
      )}
      <Refused error={error} />
    </form>
  );
}
