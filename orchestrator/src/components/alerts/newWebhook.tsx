import { ALERT_KINDS, ALERT_SEVERITIES, type AlertSeverity } from "@shared/contracts";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client, need } from "../../api/client.ts";
import { formText } from "../../lib/formText.ts";
import { Button } from "../ui/button.tsx";
import { Checkbox, Field, Input, Select } from "../ui/controls.tsx";
import { Dialog, DialogContent } from "../ui/dialog.tsx";
import { Secret } from "./secret.tsx";

/** Families of kinds, as rules name them. */
export const FAMILIES = [...new Set(ALERT_KINDS.map((kind) => kind.slice(0, kind.indexOf("."))))].filter(
  (family) => family !== "alert",
);
export const SEVERITY_OPTIONS = ALERT_SEVERITIES.map((value) => ({
  value,
  label: { info: "Everything", warning: "Warnings and worse", critical: "Critical only" }[value],
}));

/** Makes a webhook, then shows its secret this once. */
export function NewWebhook({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const queries = useQueryClient();
  const [families, setFamilies] = useState<readonly string[]>(FAMILIES);
  const [severity, setSeverity] = useState<AlertSeverity>("warning");
  const make = useMutation({
    mutationFn: (input: { name: string; url: string }) =>
      need(
        client.alerts.createWebhook({
          ...input,
          minSeverity: severity,
          // All of them is no rule, so that a kind that is new one day comes too.
          kinds: families.length === FAMILIES.length ? [] : families.map((family) => `${family}.*`),
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["alerts", "webhooks"] }),
  });
  const close = (next: boolean): void => {
    onOpenChange(next);
    if (!next) make.reset();
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    make.mutate({ name: formText(event.currentTarget, "name"), url: formText(event.currentTarget, "url") });
  };
  return (
    <Dialog open={open} onOpenChange={close}>
      <DialogContent
        title={make.data ? "The new webhook’s secret" : "New webhook"}
        {...(make.data ? { description: "Copy it now: it is not shown again." } : {})}
      >
        {make.data ? (
          <Secret secret={make.data.secret} onDone={() => close(false)} />
        ) : (
          <form onSubmit={submit} className="space-y-4">
            <Field label="Name">
              <Input name="name" required maxLength={100} placeholder="who receives it" autoFocus />
            </Field>
            <Field label="Address" hint="https, on the public internet.">
              <Input
                name="url"
                type="url"
                required
                maxLength={2000}
                placeholder="https://"
                className="font-mono text-xs"
              />
            </Field>
            <fieldset>
              <legend className="label mb-1.5">What it is sent</legend>
              <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
                {FAMILIES.map((family) => (
                  <Checkbox
                    key={family}
                    label={<span className="font-mono text-xs">{family}.*</span>}
                    checked={families.includes(family)}
                    onCheckedChange={(on) =>
                      setFamilies(on === true ? [...families, family] : families.filter((each) => each !== family))
                    }
                  />
                ))}
              </div>
            </fieldset>
            <div>
              <span className="label mb-1 block">How severe</span>
              <Select
                label="How severe"
                value={severity}
                onChange={(next) => setSeverity(ALERT_SEVERITIES.find((each) => each === next) ?? "warning")}
                options={SEVERITY_OPTIONS}
                className="w-52"
              />
            </div>
            {make.error ? (
              <p role="alert" className="text-failed">
                {make.error.message}
              </p>
            ) : null}
            <div className="flex justify-end">
              <Button type="submit" variant="primary" size="md" disabled={make.isPending || families.length === 0}>
                {make.isPending ? "Making…" : "Make webhook"}
              </Button>
            </div>
          </form>
        )}
      </DialogContent>
    </Dialog>
  );
}
