import { useQueryClient } from "@tanstack/react-query";
import type { RevertTarget, VibeError } from "@shared/contracts";
import { Undo2 } from "lucide-react";
import { useState } from "react";
import { client } from "../../api/client.ts";
import { notify } from "../notices.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Segmented, Textarea } from "../ui/controls.tsx";
import { AlertDialog, AlertDialogCancel, AlertDialogContent, AlertDialogTrigger } from "../ui/dialog.tsx";

/** Asks once more, then undoes a patch or the whole batch it came in. */
export function RevertDialog({
  workspace,
  patchId,
  batchId,
  file,
}: {
  workspace: string;
  patchId: string;
  batchId: string | null;
  file: string;
}) {
  const [open, setOpen] = useState(false);
  const [by, setBy] = useState<"patch" | "batch">("patch");
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<VibeError | null>(null);
  const queries = useQueryClient();
  const target: RevertTarget = by === "batch" && batchId !== null ? { by, id: batchId } : { by: "patch", id: patchId };

  const revert = async (): Promise<void> => {
    setBusy(true);
    setRefusal(null);
    const said = reason.trim();
    const answer = await client.patches.revert({
      workspaceId: workspace,
      target,
      ...(said === "" ? {} : { reason: said }),
    });
    setBusy(false);
    if (!answer.ok) return setRefusal(answer.error);
    setOpen(false);
    notify({ status: "patch_reverted", title: by === "batch" ? "Batch reverted" : "Patch reverted", text: file });
    await queries.invalidateQueries({ queryKey: ["patch"] });
  };

  return (
    <AlertDialog
      open={open}
      onOpenChange={(next) => {
        setOpen(next);
        setRefusal(null);
      }}
    >
      <AlertDialogTrigger asChild>
        <Button variant="secondary">
          <Undo2 />
          Revert
        </Button>
      </AlertDialogTrigger>
      <AlertDialogContent
        title={by === "batch" ? "Revert the whole batch?" : "Revert this patch?"}
        description={
          <>
            The inverse is applied to the tree as it stands now, as a patch of its own; nothing is deleted from the
            record. Later edits of the same lines refuse it.
          </>
        }
      >
        <dl className="mt-4 grid grid-cols-[4rem_minmax(0,1fr)] gap-y-1 text-sm">
          <dt className="text-ink-3">File</dt>
          <dd className="truncate font-mono text-xs leading-5">{file}</dd>
          <dt className="text-ink-3">{by === "batch" ? "Batch" : "Patch"}</dt>
          <dd className="truncate font-mono text-xs leading-5">{target.id}</dd>
        </dl>
        {batchId === null ? null : (
          <Segmented
            label="What to revert"
            className="mt-4"
            value={by}
            onChange={setBy}
            options={[
              { value: "patch", label: "This patch" },
              { value: "batch", label: "Its whole batch" },
            ]}
          />
        )}
        <Field label="Reason, for the record" className="mt-4">
          <Textarea rows={2} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
        </Field>
        {refusal ? (
          <div role="alert" className="mt-4 rounded-md border border-failed/40 bg-failed-soft p-3 text-failed">
            <p className="font-medium">
              {refusal.nothingWritten === null
                ? "Not known yet whether it was written."
                : "Refused; nothing was written."}
            </p>
            <p className="mt-1 break-words text-xs">
              {refusal.code}: {refusal.message}
            </p>
            {refusal.context ? (
              <pre className="mt-2 overflow-x-auto font-mono text-2xs leading-4">
                {refusal.context.lines
                  .map((line, index) => `${(refusal.context?.startLine ?? 1) + index}  ${line}`)
                  .join("\n")}
              </pre>
            ) : null}
          </div>
        ) : null}
        <div className="mt-5 flex justify-end gap-2">
          <AlertDialogCancel asChild>
            <Button size="md">Keep it</Button>
          </AlertDialogCancel>
          <Button size="md" variant="danger" disabled={busy} onClick={() => void revert()}>
            {busy ? "Reverting…" : by === "batch" ? "Revert batch" : "Revert patch"}
          </Button>
        </div>
      </AlertDialogContent>
    </AlertDialog>
  );
}
