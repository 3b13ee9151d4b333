import type { OpsIssue, VibeError } from "@shared/contracts";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Hand, Hourglass, Undo2 } from "lucide-react";
import { useState } from "react";
import { client } from "../../api/client.ts";
import { sessionQuery } from "../../api/queries.ts";
import { cn } from "../../lib/cn.ts";
import { moment, until } from "../../lib/format.ts";
import { useMay } from "../../lib/may.ts";
import { Refused } from "../execution/actions.tsx";
import { notify } from "../notices.tsx";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/controls.tsx";
import { isOver } from "./view.ts";

const LENGTHS = [
  { value: "30", label: "for 30 minutes" },
  { value: "60", label: "for an hour" },
  { value: "240", label: "for 4 hours" },
  { value: "1440", label: "for a day" },
] as const;

/** Who holds an issue and until when; nothing where nobody does. */
export function ClaimState({ issue, brief = false }: { issue: OpsIssue; brief?: boolean }) {
  const { data: who } = useQuery(sessionQuery);
  const { claimed_by: holder, claim_expires_at: end } = issue;
  if (holder === null) return null;
  const name = holder === who?.actor ? "you" : holder;
  const ends =
    end === null ? null : (
      <time dateTime={end} title={moment(end)} className="whitespace-nowrap">
        ends {until(end)}
      </time>
    );
  const named = <span className={cn("truncate", name !== "you" && "font-mono")}>{name}</span>;
  return brief ? (
    <span title={holder} className="inline-flex max-w-44 min-w-0 gap-1 text-2xs text-ink-3">
      {named}
      {ends === null ? null : <>· {ends}</>}
    </span>
  ) : (
    <span title={holder} className="min-w-0 text-sm break-all text-ink-2">
      Held by {named}
      {ends === null ? null : <>, {ends}</>}
    </span>
  );
}

/** Takes an issue for some time, takes it for longer, or gives it back. */
export function ClaimActions({ issue }: { issue: OpsIssue }) {
  const may = useMay("ops:write");
  const isAdmin = useMay("admin");
  const { data: who } = useQuery(sessionQuery);
  const queries = useQueryClient();
  const [minutes, setMinutes] = useState("60");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<VibeError | null>(null);
  if (!may || isOver(issue)) return null;
  const mine = issue.claimed_by !== null && issue.claimed_by === who?.actor;
  const act = async (what: "claim" | "renew" | "release"): Promise<void> => {
    setBusy(true);
    setError(null);
    const answer = await client.ops.claim(
      issue.id,
      what === "release" ? { release: true } : { minutes: Number(minutes), renew: what === "renew" },
    );
    setBusy(false);
    // Who was late wants to see who was first.
    await queries.invalidateQueries({ queryKey: ["ops"] });
    if (!answer.ok) return setError(answer.error);
    const title = { claim: "It is yours", renew: "Yours for longer", release: "Given back" }[what];
    const untold = !answer.told && issue.gh_issue_number !== null;
    notify({
      status: what === "release" ? "neutral" : "applied",
      title,
      ...(untold ? { text: "GitHub could not be told; the next scan does it." } : {}),
    });
  };
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2">
        {issue.claimed_by === null ? (
          <Button size="md" variant="primary" disabled={busy} onClick={() => void act("claim")}>
            <Hand />
            Claim
          </Button>
        ) : mine ? (
          <Button size="md" disabled={busy} onClick={() => void act("renew")}>
            <Hourglass />
            Renew
          </Button>
        ) : null}
        {issue.claimed_by === null || mine ? (
          <Select
            label="How long"
            value={minutes}
            onChange={(next) => setMinutes(next ?? "60")}
            options={LENGTHS}
            className="w-40"
          />
        ) : null}
        {mine || (isAdmin && issue.claimed_by !== null) ? (
          <Button size="md" disabled={busy} onClick={() => void act("release")}>
            <Undo2 />
            Release
          </Button>
        ) : null}
      </div>
      <Refused error={error} />
    </div>
  );
}
