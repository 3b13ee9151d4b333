import { OpsScopeSchema, type OpsScope } from "@shared/contracts";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { useState } from "react";
import { client, need } from "../../api/client.ts";
import { plural } from "../../lib/format.ts";
import { useMay } from "../../lib/may.ts";
import { notify } from "../notices.tsx";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/controls.tsx";
import { SCAN_KEY } from "./queries.ts";
import { SCOPES } from "./view.ts";

/** Begins a scan, for who may. The answer comes once it has ended; until then its row says that it runs. */
export function ScanNow({ running }: { running: boolean }) {
  const may = useMay("ops:write");
  const queries = useQueryClient();
  const [scope, setScope] = useState<OpsScope>("full");
  const scan = useMutation({
    mutationKey: SCAN_KEY,
    mutationFn: () => {
      const asked = need(client.ops.scan(scope));
      // Its row is there before its answer is; from this look on it is looked for often.
      setTimeout(() => void queries.invalidateQueries({ queryKey: ["ops"] }), 500);
      return asked;
    },
    onSuccess: ({ scan: { outcome, error, totals } }) =>
      notify({
        status: `scan:${outcome ?? "running"}`,
        title: outcome === "done" ? "The scan is done" : `The scan ended as ${outcome ?? "running"}`,
        text:
          error ??
          `${plural(totals?.logs_ingested ?? 0, "new line")}, ${plural(totals?.issues_opened ?? 0, "issue")} filed`,
      }),
    onError: (failure) => notify({ status: "failed", title: "No scan was begun", text: failure.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["ops"] }),
  });
  if (!may) return null;
  const busy = scan.isPending || running;
  return (
    <div className="flex gap-2">
      <Select
        label="What is scanned"
        value={scope}
        onChange={(next) => setScope(OpsScopeSchema.safeParse(next).data ?? scope)}
        options={SCOPES}
        className="w-32"
      />
      <Button variant="primary" size="md" disabled={busy} onClick={() => scan.mutate()}>
        <Play />
        {busy ? "Scanning…" : "Scan now"}
      </Button>
    </div>
  );
}
