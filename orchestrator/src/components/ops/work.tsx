import { FACTORIES, FactoryNameSchema, type OpsIssue, opsOrderIdOf, type VibeError } from "@shared/contracts";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowRight, Wrench } from "lucide-react";
import { useState } from "react";
import { client } from "../../api/client.ts";
import { useMay } from "../../lib/may.ts";
import { Refused } from "../execution/actions.tsx";
import { notify } from "../notices.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Select } from "../ui/controls.tsx";
import { Dialog, DialogContent, DialogTrigger } from "../ui/dialog.tsx";
import { projectsQuery, repositoryOf } from "./queries.ts";
import { isOver } from "./view.ts";

/** Makes an order of an issue, and goes there; of one that has its order already, the way to it. */
export function WorkOnIt({ issue }: { issue: OpsIssue }) {
  const mayOps = useMay("ops:write");
  const mayOrder = useMay("orders:write");
  if (issue.order_id === opsOrderIdOf(issue))
    return (
      <Button size="md" asChild>
        <Link to="/orders/$orderId" params={{ orderId: issue.order_id }}>
          <ArrowRight />
          To its order
        </Link>
      </Button>
    );
  return mayOps && mayOrder && !isOver(issue) ? <WorkDialog issue={issue} /> : null;
}

function WorkDialog({ issue }: { issue: OpsIssue }) {
  const [open, setOpen] = useState(false);
  const [factory, setFactory] = useState<(typeof FACTORIES)[number]>("services-factory");
  const [chosen, setChosen] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<VibeError | null>(null);
  const projects = useQuery({ ...projectsQuery, enabled: open });
  const queries = useQueryClient();
  const navigate = useNavigate();
  // The project whose builds these are; another, or none, can be chosen.
  const own = projects.data?.find((each) => sameName(repositoryOf(each), issue.repo))?.id;
  const project = chosen === null ? own : chosen === "" ? undefined : chosen;
  const work = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    const answer = await client.ops.work(issue.id, { factory, projectId: project ?? null });
    setBusy(false);
    if (!answer.ok) {
      // Somebody may have been first, with another factory or project: then the page leads to that order.
      await queries.invalidateQueries({ queryKey: ["ops"] });
      return setError(answer.error);
    }
    notify({
      status: "received",
      title: answer.created ? "An order was made of it" : "It had its order already",
      text: answer.order.id,
    });
    await queries.invalidateQueries({ queryKey: ["ops"] });
    await navigate({ to: "/orders/$orderId", params: { orderId: answer.order.id } });
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
        <Button size="md">
          <Wrench />
          Work on it
        </Button>
      </DialogTrigger>
      <DialogContent
        title="Make an order of this issue"
        description="With one task of type fix, whose description is the remediation prompt."
      >
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label="Factory">
            <Select
              label="Factory"
              value={factory}
              onChange={(next) => setFactory(FactoryNameSchema.safeParse(next).data ?? factory)}
              options={FACTORIES.map((value) => ({ value, label: value }))}
              className="w-full"
            />
          </Field>
          <Field label="Project">
            <Select
              label="Project"
              all="None"
              value={project}
              onChange={(next) => setChosen(next ?? "")}
              options={(projects.data ?? []).map((each) => ({ value: each.id, label: each.name }))}
              className="w-full"
            />
          </Field>
        </div>
        <p className="mt-3 text-xs text-ink-3">
          Its order is <span className="font-mono">{opsOrderIdOf(issue)}</span>: asked for again, it is the same one.
        </p>
        <Refused error={error} />
        <div className="mt-5 flex justify-end gap-2">
          <Button size="md" onClick={() => setOpen(false)}>
            Leave it
          </Button>
          <Button size="md" variant="primary" disabled={busy} onClick={() => void work()}>
            {busy ? "Ordering…" : "Make the order"}
          </Button>
        </div>
      </DialogContent>
    </Dialog>
  );
}

const sameName = (one: string | null, other: string | null): boolean =>
  one !== null && other !== null && one.toLowerCase() === other.toLowerCase();
