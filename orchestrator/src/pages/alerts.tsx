import { useNavigate, useSearch } from "@tanstack/react-router";
import { AlertList } from "../components/alerts/alertList.tsx";
import { Webhooks } from "../components/alerts/webhooks.tsx";
import { PageBody } from "../components/page.tsx";
import { Segmented, Tabs, TabsContent, TabsList, TabsTrigger } from "../components/ui/controls.tsx";

const SHOWN = [
  { value: "open", label: "Open" },
  { value: "resolved", label: "Over" },
  { value: "all", label: "All" },
] as const;

export default function AlertsPage() {
  const { tab = "alerts", status, webhook } = useSearch({ from: "/shell/alerts" });
  const navigate = useNavigate({ from: "/alerts" });
  return (
    <PageBody title="Alerts" className="max-w-5xl">
      <Tabs
        value={tab}
        onValueChange={(next) =>
          void navigate({ search: { tab: next === "webhooks" ? "webhooks" : undefined }, replace: true })
        }
      >
        <TabsList aria-label="Alerts">
          <TabsTrigger value="alerts">Alerts</TabsTrigger>
          <TabsTrigger value="webhooks">Webhooks</TabsTrigger>
        </TabsList>
        <TabsContent value="alerts" className="space-y-3 pt-4">
          <Segmented
            label="Which alerts"
            value={status ?? "all"}
            onChange={(next) => void navigate({ search: { status: next === "all" ? undefined : next }, replace: true })}
            options={SHOWN}
          />
          <AlertList status={status} />
        </TabsContent>
        <TabsContent value="webhooks" className="pt-4">
          <Webhooks
            opened={webhook}
            onOpen={(next) => void navigate({ search: { tab: "webhooks", webhook: next }, replace: true })}
          />
        </TabsContent>
      </Tabs>
    </PageBody>
  );
}
