import type { AlertWebhook } from "@shared/contracts";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Webhook } from "lucide-react";
import { useState } from "react";
import { client, need } from "../../api/client.ts";
import { ago, dateLabel, instant } from "../../lib/format.ts";
import { notify } from "../notices.tsx";
import { Problem } from "../problems.tsx";
import { Button } from "../ui/button.tsx";
import {
  AlertDialog,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogTrigger,
  Dialog,
  DialogContent,
} from "../ui/dialog.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";
import { Deliveries } from "./deliveries.tsx";
import { NewWebhook, SEVERITY_OPTIONS } from "./newWebhook.tsx";
import { Secret } from "./secret.tsx";

/** The webhooks, how each fares, and what can be done with it. */
export function Webhooks({ opened, onOpen }: { opened: string | undefined; onOpen: (id: string | undefined) => void }) {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["alerts", "webhooks"],
    queryFn: ({ signal }) => need(client.alerts.webhooks({ limit: 100 }, { signal })),
    refetchInterval: 15_000,
  });
  const [making, setMaking] = useState(false);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-end justify-between gap-4">
        <p className="max-w-prose text-ink-2">
          Each is sent the alerts its rules ask for, signed as Standard Webhooks has it, again and again for three days
          where it does not take them. One that fails for longer is disabled.
        </p>
        <Button variant="primary" size="md" onClick={() => setMaking(true)}>
          <Plus />
          New webhook
        </Button>
      </div>
      {isPending ? (
        <SkeletonRows rows={4} />
      ) : error ? (
        <Problem error={error} retry={() => void refetch()} />
      ) : data.webhooks.length === 0 ? (
        <Card>
          <Empty icon={<Webhook />} title="No webhooks">
            Alerts are told here and on the stream whether there are any or not.
          </Empty>
        </Card>
      ) : (
        <ul className="space-y-3">
          {data.webhooks.map((webhook) => (
            <li key={webhook.id} data-webhook={webhook.name}>
              <WebhookCard
                webhook={webhook}
                isOpen={opened === webhook.id}
                onOpen={() => onOpen(opened === webhook.id ? undefined : webhook.id)}
              />
            </li>
          ))}
        </ul>
      )}
      <NewWebhook open={making} onOpenChange={setMaking} />
    </>
  );
}

function WebhookCard({ webhook, isOpen, onOpen }: { webhook: AlertWebhook; isOpen: boolean; onOpen: () => void }) {
  const queries = useQueryClient();
  const [secret, setSecret] = useState<string | null>(null);
  const act = useMutation({
    mutationFn: async (action: "test" | "rotate" | "toggle" | "delete") => {
      if (action === "test") await need(client.alerts.testWebhook(webhook.id));
      else if (action === "rotate") setSecret((await need(client.alerts.rotateSecret(webhook.id))).secret);
      else if (action === "toggle") await need(client.alerts.changeWebhook(webhook.id, { enabled: !webhook.enabled }));
      else await need(client.alerts.deleteWebhook(webhook.id));
      return action;
    },
    onSuccess: (action) => {
      if (action === "test") notify({ status: "neutral", title: "A test message is on its way", text: webhook.name });
      return queries.invalidateQueries({ queryKey: ["alerts"] });
    },
    onError: (failure) => notify({ status: "failed", title: "That could not be done", text: failure.message }),
  });
  const rule = SEVERITY_OPTIONS.find(({ value }) => value === webhook.min_severity)?.label ?? webhook.min_severity;
  return (
    <Card>
      <div className="flex flex-wrap items-start gap-3 px-4 py-3">
        <div className="min-w-56 flex-1">
          <p className="flex items-center gap-2">
            <span className="truncate font-medium">{webhook.name}</span>
            <WebhookState webhook={webhook} />
          </p>
          <p className="mt-0.5 font-mono text-xs break-all text-ink-2">{webhook.url}</p>
          <p className="mt-1 text-xs text-ink-3">
            {rule} of {webhook.kinds.length === 0 ? "all kinds" : webhook.kinds.join(", ")} · made{" "}
            {dateLabel(webhook.created_at)} by {webhook.created_by} ·{" "}
            {webhook.last_success_at === null
              ? "nothing delivered yet"
              : `last delivered ${ago(Date.now() - instant(webhook.last_success_at))} ago`}
            {webhook.secrets.length > 1 ? ` · ${webhook.secrets.length} secrets sign` : ""}
          </p>
          {webhook.disabled_reason === null ? null : (
            <p className="mt-1 text-xs break-words text-failed">{webhook.disabled_reason}</p>
          )}
        </div>
        <div className="flex flex-wrap gap-2">
          <Button onClick={onOpen} aria-expanded={isOpen}>
            Deliveries
          </Button>
          <Button onClick={() => act.mutate("test")} disabled={act.isPending}>
            Send a test
          </Button>
          <Button onClick={() => act.mutate("toggle")} disabled={act.isPending}>
            {webhook.enabled ? "Disable" : "Enable"}
          </Button>
          <Confirm
            trigger="New secret"
            title={`Give ${webhook.name} a new secret?`}
            text="The present one goes on signing beside it for a day. The new one is shown once."
            action="Make it"
            onConfirm={() => act.mutate("rotate")}
          />
          <Confirm
            trigger="Delete"
            title={`Delete ${webhook.name}?`}
            text="It is sent nothing more, and its secret is gone. This cannot be undone."
            action="Delete for good"
            onConfirm={() => act.mutate("delete")}
          />
        </div>
      </div>
      {isOpen ? <Deliveries webhookId={webhook.id} /> : null}
      <Dialog open={secret !== null} onOpenChange={(open) => (open ? undefined : setSecret(null))}>
        <DialogContent title="The new secret" description="Copy it now: it is not shown again.">
          {secret === null ? null : <Secret secret={secret} onDone={() => setSecret(null)} />}
        </DialogContent>
      </Dialog>
    </Card>
  );
}

function WebhookState({ webhook }: { webhook: AlertWebhook }) {
  if (!webhook.enabled) return <span className="rounded bg-hover px-1.5 text-2xs leading-5 text-ink-2">Disabled</span>;
  if (webhook.failing_since !== null)
    return (
      <span className="rounded bg-failed-soft px-1.5 text-2xs leading-5 text-failed">
        Failing for {ago(Date.now() - instant(webhook.failing_since))}
      </span>
    );
  return <span className="rounded bg-applied-soft px-1.5 text-2xs leading-5 text-applied">Works</span>;
}

function Confirm(props: { trigger: string; title: string; text: string; action: string; onConfirm: () => void }) {
  return (
    <AlertDialog>
      <AlertDialogTrigger asChild>
        <Button>{props.trigger}</Button>
      </AlertDialogTrigger>
      <AlertDialogContent title={props.title} description={props.text}>
        <div className="mt-5 flex justify-end gap-2">
          <AlertDialogCancel asChild>
            <Button size="md">Leave it</Button>
          </AlertDialogCancel>
          <AlertDialogCancel asChild>
            <Button size="md" variant="danger" onClick={props.onConfirm}>
              {props.action}
            </Button>
          </AlertDialogCancel>
        </div>
      </AlertDialogContent>
    </AlertDialog>
  );
}
