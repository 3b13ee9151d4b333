import { type Execution, PROVIDERS, type ProviderName, type VibeError } from "@shared/contracts";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CircleStop, RotateCw } from "lucide-react";
import { useState } from "react";
import { client } from "../../api/client.ts";
import { providersQuery } from "../../api/queries.ts";
import { cn } from "../../lib/cn.ts";
import { notify } from "../notices.tsx";
import { standingOf, StandingTag } from "../provider/state.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Textarea } from "../ui/controls.tsx";
import {
  AlertDialog,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogTrigger,
  Dialog,
  DialogContent,
  DialogTrigger,
} from "../ui/dialog.tsx";

export function Refused({ error }: { error: VibeError | null }) {
  if (error === null) return null;
  return (
    <div role="alert" className="mt-4 rounded-md border border-failed/40 bg-failed-soft p-3 text-xs text-failed">
      <p className="break-words">
        <span className="font-mono">{error.code}</span>: {error.message}
      </p>
    </div>
  );
}

/** Asks once more, then ends the run. */
export function CancelDialog({ execution }: { execution: Execution }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<VibeError | null>(null);
  const queries = useQueryClient();
  const cancel = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    const answer = await client.ai.executions.cancel(execution.execution_id, reason.trim());
    setBusy(false);
    if (!answer.ok) return setError(answer.error);
    setOpen(false);
    const ended = answer.execution.status;
    notify(
      ended === "cancelled" || ended === "running" || ended === "queued" || ended === "waiting"
        ? { status: "cancelled", title: "Execution cancelled", text: execution.execution_id }
        : { status: ended, title: "It was over already", text: execution.execution_id },
    );
    await queries.invalidateQueries({ queryKey: ["execution"] });
    await queries.invalidateQueries({ queryKey: ["executions"] });
  };
  return (
    <AlertDialog
      open={open}
      onOpenChange={(next) => {
        setOpen(next);
        setError(null);
      }}
    >
      <AlertDialogTrigger asChild>
        <Button variant="danger">
          <CircleStop />
          Cancel
        </Button>
      </AlertDialogTrigger>
      <AlertDialogContent
        title="Cancel this execution?"
        description="The provider is told to stop and nothing of what it did is applied. What it has spent so far stays spent."
      >
        <Field label="Reason, for the record" className="mt-4">
          <Textarea rows={2} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
        </Field>
        <Refused error={error} />
        <div className="mt-5 flex justify-end gap-2">
          <AlertDialogCancel asChild>
            <Button size="md">Let it run</Button>
          </AlertDialogCancel>
          <Button size="md" variant="danger" disabled={busy} onClick={() => void cancel()}>
            {busy ? "Cancelling…" : "Cancel it"}
          </Button>
        </div>
      </AlertDialogContent>
    </AlertDialog>
  );
}

/** The same task again: by whom the router chooses, or by one that is named. */
export function RetryDialog({ execution }: { execution: Execution }) {
  const [open, setOpen] = useState(false);
  const [provider, setProvider] = useState<ProviderName | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<VibeError | null>(null);
  const providers = useQuery({ ...providersQuery, enabled: open });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const retry = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    const answer = await client.ai.executions.retry(execution.execution_id, provider === null ? {} : { provider });
    setBusy(false);
    if (!answer.ok) return setError(answer.error);
    setOpen(false);
    notify({ status: "queued", title: "Queued again", text: answer.execution.execution_id });
    await queries.invalidateQueries({ queryKey: ["executions"] });
    await navigate({ to: "/executions/$executionId", params: { executionId: answer.execution.execution_id } });
  };
  const choice = (name: ProviderName | null) => {
    const status = providers.data?.find((each) => each.provider.name === name);
    const taken = provider === name;
    return (
      <label
        key={name ?? "router"}
        className={cn(
          "flex h-9 cursor-pointer items-center gap-2.5 border-b border-line px-3 last:border-0",
          taken ? "bg-accent-soft" : "hover:bg-hover",
        )}
      >
        <input
          type="radio"
          name="provider"
          checked={taken}
          onChange={() => setProvider(name)}
          className="accent-accent"
        />
        <span className="min-w-0 flex-1 truncate">
          {name === null ? "Whom the router chooses" : (status?.provider.title ?? name)}
          {name === execution.provider_name ? <span className="text-xs text-ink-3"> as before</span> : null}
        </span>
        {status && standingOf(status) !== "available" ? <StandingTag status={status} /> : null}
      </label>
    );
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => {
        setOpen(next);
        setError(null);
      }}
    >
      <DialogTrigger asChild>
        <Button>
          <RotateCw />
          Retry elsewhere
        </Button>
      </DialogTrigger>
      <DialogContent
        title="Run this task again"
        description="As an execution of its own; the record of this one stays as it is."
      >
        <fieldset>
          <legend className="label mb-1.5">By whom</legend>
          <div className="overflow-hidden rounded-md border border-line">{[null, ...PROVIDERS].map(choice)}</div>
        </fieldset>
        <Refused error={error} />
        <div className="mt-5 flex justify-end gap-2">
          <Button size="md" onClick={() => setOpen(false)}>
            Leave it
          </Button>
          <Button size="md" variant="primary" disabled={busy} onClick={() => void retry()}>
            {busy ? "Queueing…" : "Run it again"}
          </Button>
        </div>
      </DialogContent>
    </Dialog>
  );
}
