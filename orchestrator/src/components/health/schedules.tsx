import { type HealthProfile, HEALTH_PROFILES, type HealthSchedule } from "@shared/contracts";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CalendarClock, Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { client, need } from "../../api/client.ts";
import { formText } from "../../lib/formText.ts";
import { ago, instant, moment, plural } from "../../lib/format.ts";
import { notify } from "../notices.tsx";
import { Problem } from "../problems.tsx";
import { Button } from "../ui/button.tsx";
import { Checkbox, Field, Input, Select } from "../ui/controls.tsx";
import {
  AlertDialog,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogTrigger,
  Dialog,
  DialogContent,
} from "../ui/dialog.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";
import { schedulesQuery, workersQuery } from "./queries.ts";

const PACES = [
  { value: "1", label: "Every minute" },
  { value: "5", label: "Every 5 minutes" },
  { value: "15", label: "Every 15 minutes" },
  { value: "60", label: "Every hour" },
  { value: "1440", label: "Every day" },
] as const;

const paceOf = (minutes: number): string =>
  PACES.find(({ value }) => Number(value) === minutes)?.label ?? `Every ${plural(minutes, "minute")}`;

const failed = (failure: Error) =>
  notify({ status: "failed", title: "The schedule could not be changed", text: failure.message });

/** When which Workers are checked; switched off and on, added and taken away. */
export function Schedules() {
  const queries = useQueryClient();
  const { data: schedules, error, isPending, refetch } = useQuery(schedulesQuery);
  const [making, setMaking] = useState(false);
  const refresh = () => queries.invalidateQueries({ queryKey: schedulesQuery.queryKey });
  const change = useMutation({
    mutationFn: ({ id, enabled }: { id: string; enabled: boolean }) =>
      need(client.healthChecks.changeSchedule(id, { enabled })),
    onSuccess: refresh,
    onError: failed,
  });
  const remove = useMutation({
    mutationFn: (id: string) => need(client.healthChecks.deleteSchedule(id)),
    onSuccess: refresh,
    onError: failed,
  });
  return (
    <>
      <div className="mb-3 flex items-end justify-between gap-4">
        <p className="max-w-prose text-ink-2">
          Each minute the schedules that are due begin a check. Times that nothing ran at are counted, not made up for.
        </p>
        <Button variant="primary" size="md" onClick={() => setMaking(true)}>
          <Plus />
          New schedule
        </Button>
      </div>
      <Card>
        {isPending ? (
          <SkeletonRows rows={4} />
        ) : error ? (
          <Problem error={error} retry={() => void refetch()} />
        ) : schedules.length === 0 ? (
          <Empty icon={<CalendarClock />} title="No schedules">
            Without one, Workers are checked only when somebody asks.
          </Empty>
        ) : (
          <ul aria-label="Schedules">
            {schedules.map((schedule) => (
              <ScheduleRow
                key={schedule.id}
                schedule={schedule}
                onToggle={(enabled) => change.mutate({ id: schedule.id, enabled })}
                onRemove={() => remove.mutate(schedule.id)}
              />
            ))}
          </ul>
        )}
      </Card>
      <NewSchedule open={making} onOpenChange={setMaking} onMade={refresh} />
    </>
  );
}

function ScheduleRow({
  schedule,
  onToggle,
  onRemove,
}: {
  schedule: HealthSchedule;
  onToggle: (enabled: boolean) => void;
  onRemove: () => void;
}) {
  const { name, enabled, missed_runs, stuck_runs } = schedule;
  const troubles = [
    ...(missed_runs > 0 ? [`${plural(missed_runs, "run")} missed`] : []),
    ...(stuck_runs > 0 ? [`${plural(stuck_runs, "run")} stuck`] : []),
  ];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-4 py-3 last:border-0">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex flex-wrap items-center gap-2">
          <span className="min-w-0 break-words font-medium">{name}</span>
          {troubles.length === 0 ? null : (
            <span className="rounded bg-validating-soft px-1.5 text-2xs leading-5 text-validating">
              {troubles.join(", ")}
            </span>
          )}
        </p>
        <p className="mt-0.5 text-xs text-ink-3">
          {paceOf(schedule.every_minutes)} · {schedule.workers === null ? "all Workers" : schedule.workers.join(", ")} ·{" "}
          {schedule.profiles === null ? "the default profiles" : schedule.profiles.join(", ")}
        </p>
        <p className="mt-0.5 text-xs text-ink-3">
          {schedule.last_run_at === null
            ? "has not run yet"
            : `ran ${ago(Date.now() - instant(schedule.last_run_at))} ago`}
          {enabled ? ` · next ${moment(schedule.next_run_at)}` : " · off"}
        </p>
      </div>
      <div className="flex items-center gap-3">
        <Checkbox
          label="On"
          checked={enabled}
          onCheckedChange={(next) => onToggle(next === true)}
          aria-label={`${name} is on`}
        />
        <AlertDialog>
          <AlertDialogTrigger asChild>
            <Button variant="ghost" className="text-failed hover:text-failed" aria-label={`Remove ${name}`}>
              Remove
            </Button>
          </AlertDialogTrigger>
          <AlertDialogContent
            title={`Take ${name} away?`}
            description="Its checks stay on record; none begin by it any more."
          >
            <div className="mt-5 flex justify-end gap-2">
              <AlertDialogCancel asChild>
                <Button size="md">Keep it</Button>
              </AlertDialogCancel>
              <AlertDialogCancel asChild>
                <Button size="md" variant="danger" onClick={onRemove}>
                  Remove
                </Button>
              </AlertDialogCancel>
            </div>
          </AlertDialogContent>
        </AlertDialog>
      </div>
    </li>
  );
}

function NewSchedule({
  open,
  onOpenChange,
  onMade,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onMade: () => Promise<void>;
}) {
  const { data: workers } = useQuery(workersQuery);
  const [pace, setPace] = useState("15");
  const [worker, setWorker] = useState<string | undefined>(undefined);
  const [profiles, setProfiles] = useState<readonly HealthProfile[]>(["identity", "bindings"]);
  const make = useMutation({
    mutationFn: (name: string) =>
      need(
        client.healthChecks.createSchedule({
          name,
          every_minutes: Number(pace),
          workers: worker === undefined ? null : [worker],
          profiles: [...profiles],
        }),
      ),
    onSuccess: () => {
      onOpenChange(false);
      return onMade();
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = formText(event.currentTarget, "name");
    if (name !== "" && profiles.length > 0) make.mutate(name);
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent title="New schedule" description="It runs within a minute, and then at its pace.">
        <form onSubmit={submit} className="space-y-4">
          <Field label="Name">
            <Input name="name" required maxLength={100} autoFocus />
          </Field>
          <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
            <div>
              <span className="label mb-1 block">Pace</span>
              <Select
                label="Pace"
                value={pace}
                onChange={(next) => setPace(next ?? "15")}
                options={PACES}
                className="w-full"
              />
            </div>
            <div>
              <span className="label mb-1 block">Worker</span>
              <Select
                label="Worker"
                value={worker}
                onChange={setWorker}
                all="All Workers"
                options={(workers ?? [])
                  .filter(({ kind }) => kind === "worker")
                  .map(({ worker_name }) => ({ value: worker_name, label: worker_name }))}
                className="w-full"
              />
            </div>
          </div>
          <fieldset>
            <legend className="label mb-1">Profiles</legend>
            <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
              {HEALTH_PROFILES.map((profile) => (
                <Checkbox
                  key={profile}
                  label={profile}
                  checked={profiles.includes(profile)}
                  onCheckedChange={(checked) =>
                    setProfiles((before) =>
                      checked === true ? [...before, profile] : before.filter((other) => other !== profile),
                    )
                  }
                />
              ))}
            </div>
          </fieldset>
          {make.error ? (
            <p role="alert" className="text-sm text-failed">
              {make.error.message}
            </p>
          ) : null}
          <div className="flex justify-end gap-2">
            <Button size="md" onClick={() => onOpenChange(false)}>
              Cancel
            </Button>
            <Button size="md" variant="primary" type="submit" disabled={make.isPending || profiles.length === 0}>
              {make.isPending ? "Making…" : "Make it"}
            </Button>
          </div>
        </form>
      </DialogContent>
    </Dialog>
  );
}
