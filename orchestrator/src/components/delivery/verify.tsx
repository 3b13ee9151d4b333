import { type ReportVerdict, verifyReport } from "@shared/client";
import { CircleCheck, CircleX, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { client, need } from "../../api/client.ts";
import { count, plural } from "../../lib/format.ts";
import { Identifier } from "../copy.tsx";
import { Button } from "../ui/button.tsx";

type State =
  | { at: "idle" }
  | { at: "busy" }
  | { at: "told"; verdict: ReportVerdict }
  | { at: "failed"; reason: string };

/** Recomputes the order's chains in this browser from the exported events, and holds the report against them. */
export function useVerify(orderId: string, report: unknown): { state: State; verify: () => Promise<void> } {
  const [state, setState] = useState<State>({ at: "idle" });
  const verify = async (): Promise<void> => {
    setState({ at: "busy" });
    try {
      const { lines } = await need(client.custody.lines(orderId));
      setState({ at: "told", verdict: await verifyReport(report, lines) });
    } catch (error) {
      setState({ at: "failed", reason: error instanceof Error ? error.message : String(error) });
    }
  };
  return { state, verify };
}

export function VerifyButton({ state, verify }: { state: State; verify: () => Promise<void> }) {
  return (
    <Button onClick={() => void verify()} disabled={state.at === "busy"}>
      <ShieldCheck />
      {state.at === "busy" ? "Verifying…" : state.at === "idle" ? "Verify" : "Verify again"}
    </Button>
  );
}

export function Verdict({ state }: { state: State }) {
  if (state.at === "idle" || state.at === "busy") return null;
  if (state.at === "failed")
    return (
      <p role="alert" className="border-b border-line bg-validating-soft px-4 py-2.5 text-sm text-validating">
        It could not be verified: {state.reason}
      </p>
    );
  const { verdict } = state;
  if (verdict.ok)
    return (
      <div role="status" data-verdict="holds" className="border-b border-line bg-applied-soft px-4 py-2.5 text-sm">
        <p className="flex items-center gap-2 font-medium text-applied">
          <CircleCheck className="size-4 shrink-0" aria-hidden />
          The report holds
        </p>
        <p className="mt-1 text-ink-2">
          {plural(verdict.records, "link")} recomputed in this browser; every hash follows from the one before, and the
          report says what the events come to.
        </p>
        <ul className="mt-1">
          {verdict.chains.map(({ workspaceId, head }) => (
            <li key={workspaceId} className="flex flex-wrap items-center gap-x-2 text-xs text-ink-2">
              <span className="font-mono">{workspaceId}</span> up to link{" "}
              <span className="nums">{count(head.seq)}</span>
              <Identifier value={head.hash} label="the head's hash" short />
            </li>
          ))}
        </ul>
      </div>
    );
  return (
    <div role="alert" data-verdict="broken" className="border-b border-line bg-failed-soft px-4 py-2.5 text-sm">
      <p className="flex items-center gap-2 font-medium text-failed">
        <CircleX className="size-4 shrink-0" aria-hidden />
        The report does not hold
      </p>
      <p className="mt-1 break-words text-ink-2">{verdict.reason}</p>
      {verdict.link ? (
        <p className="text-xs text-ink-2">
          First broken link: <span className="nums">{verdict.link.seq}</span> of{" "}
          <span className="font-mono">{verdict.link.workspaceId}</span>
        </p>
      ) : null}
      {verdict.member ? (
        <p className="text-xs text-ink-2">
          In the report: <span className="font-mono">{verdict.member}</span>
        </p>
      ) : null}
    </div>
  );
}
