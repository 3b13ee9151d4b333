import type { ProviderStatus, VibeError } from "@shared/contracts";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Stethoscope, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { ProviderOverrides } from "@shared/client";
import { client } from "../../api/client.ts";
import { count, moment, usd } from "../../lib/format.ts";
import { useMay } from "../../lib/may.ts";
import { Refused } from "../execution/actions.tsx";
import { notify } from "../notices.tsx";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/controls.tsx";
import { Success } from "./intervals.tsx";
import { BreakerState, HealthState, KeyState, Spend, StandingTag } from "./state.tsx";

const NEEDS: Record<ProviderStatus["provider"]["needs"], string> = {
  "github-branch": "a repository and branch on GitHub",
  workspace: "a workspace's tree",
  files: "files given in the question",
};

/** What stands now, so that one part of it can be changed: the door replaces all it was told before. */
function overridesOf({ provider, budget }: ProviderStatus): ProviderOverrides {
  const { cost } = provider;
  const perDay = budget.limit === null ? {} : { [budget.unit === "usd" ? "usdPerDay" : "unitsPerDay"]: budget.limit };
  return {
    enabled: provider.enabled,
    default_model: provider.default_model,
    api_endpoint: provider.api_endpoint,
    rate_limits: { concurrency: provider.concurrency, ...perDay },
    cost_per_token:
      cost.kind === "tokens" && cost.inputUsdPerMillion === cost.outputUsdPerMillion
        ? cost.inputUsdPerMillion / 1_000_000
        : null,
  };
}

/** A provider whole, and what can be done with it. */
export function ProviderPanel({ status, onClose }: { status: ProviderStatus; onClose: () => void }) {
  const { provider, budget, breaker, health } = status;
  const mayProbe = useMay("ai:write");
  const mayConfigure = useMay("admin");
  const [busy, setBusy] = useState<"probe" | "configure" | null>(null);
  const [error, setError] = useState<VibeError | null>(null);
  const queries = useQueryClient();

  const probe = async (): Promise<void> => {
    setBusy("probe");
    setError(null);
    const answer = await client.ai.providers.probe(provider.name);
    setBusy(null);
    if (!answer.ok) return setError(answer.error);
    const { state, message } = answer.status.health;
    notify({
      status: `health:${state}`,
      title: state === "ok" ? `${provider.title} answers` : `${provider.title} does not work`,
      ...(message ? { text: message } : {}),
    });
    await queries.invalidateQueries({ queryKey: ["providers"] });
  };
  const configure = async (change: Partial<ProviderOverrides>, title: string): Promise<void> => {
    setBusy("configure");
    setError(null);
    const answer = await client.ai.providers.configure(provider.name, { ...overridesOf(status), ...change });
    setBusy(null);
    if (!answer.ok) return setError(answer.error);
    notify({ status: "applied", title });
    await queries.invalidateQueries({ queryKey: ["providers"] });
  };

  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex min-h-14 shrink-0 items-center justify-between gap-3 border-b border-line px-4 py-2">
        <div className="min-w-0">
          <h2 className="flex items-center gap-2.5">
            <span className="truncate text-base font-semibold">{provider.title}</span>
            <StandingTag status={status} />
          </h2>
          <p className="truncate text-xs text-ink-3">
            {provider.type === "cli" ? "command line agent" : provider.type === "model" ? "model" : "works on GitHub"},
            needs {NEEDS[provider.needs]}
          </p>
        </div>
        <Button variant="ghost" size="icon" aria-label="Close the provider" onClick={onClose}>
          <X />
        </Button>
      </header>
      <div
        className="min-h-0 flex-1 space-y-5 overflow-y-auto p-4"
        tabIndex={0}
        role="region"
        aria-label={provider.title}
      >
        {status.reasons.length > 0 ? (
          <section aria-label="Why it takes no work" className="rounded-md bg-sunken px-3 py-2">
            <h3 className="label">Takes no work, because</h3>
            <ul className="mt-0.5 space-y-0.5">
              {status.reasons.map((reason) => (
                <li key={reason} className="break-words">
                  {reason}
                </li>
              ))}
            </ul>
          </section>
        ) : null}

        {mayProbe || mayConfigure ? (
          <div className="flex flex-wrap gap-2">
            {mayProbe ? (
              <Button disabled={busy !== null} onClick={() => void probe()}>
                <Stethoscope />
                {busy === "probe" ? "Asking…" : "Probe"}
              </Button>
            ) : null}
            {mayConfigure ? (
              <Button
                variant={provider.enabled ? "danger" : "secondary"}
                disabled={busy !== null}
                onClick={() =>
                  void configure(
                    { enabled: !provider.enabled },
                    provider.enabled ? `${provider.title} is given nothing new` : `${provider.title} takes work again`,
                  )
                }
              >
                {provider.enabled ? "Disable" : "Enable"}
              </Button>
            ) : null}
            <Button variant="ghost" asChild>
              <Link to="/executions" search={{ provider: provider.name }}>
                Its executions
              </Link>
            </Button>
          </div>
        ) : null}
        <Refused error={error} />

        <section aria-label="Success">
          <h3 className="label mb-2">Success by type of task, with the interval it lies in at 90 %</h3>
          <Success success={status.success} full />
        </section>

        <section aria-label="Today">
          <h3 className="label mb-2">Spent</h3>
          <Spend budget={budget} />
        </section>

        <dl className="grid grid-cols-[6.500rem_minmax(0,1fr)] gap-x-3 gap-y-2">
          <Fact name="Default model">
            {mayConfigure && provider.models.length > 1 ? (
              <Select
                label="Default model"
                value={provider.default_model}
                onChange={(model) =>
                  model === undefined || model === provider.default_model
                    ? undefined
                    : void configure({ default_model: model }, `${provider.title} works with ${model}`)
                }
                options={[...new Set([provider.default_model, ...provider.models])].map((value) => ({
                  value,
                  label: value,
                }))}
                className="h-7 w-full font-mono text-xs"
              />
            ) : (
              <span className="font-mono text-xs break-all">{provider.default_model}</span>
            )}
          </Fact>
          <Fact name="Running">
            <span className="nums">
              {count(status.running)} of {count(provider.concurrency)}
            </span>
          </Fact>
          <Fact name="Breaker">
            <BreakerState breaker={breaker} />
            {breaker.until === null ? null : (
              <span className="block text-xs text-ink-3">until {moment(breaker.until)}</span>
            )}
          </Fact>
          <Fact name="Health">
            <HealthState health={health} />
            {health.message === null ? null : (
              <span className="mt-0.5 block break-words text-xs text-ink-3">{health.message}</span>
            )}
          </Fact>
          <Fact name="Key">
            <KeyState present={status.keyPresent} secret={provider.secret} />{" "}
            <span className="font-mono text-2xs text-ink-3">{provider.secret}</span>
          </Fact>
          <Fact name="Price">
            {provider.cost.kind === "quota" ? (
              `${count(provider.cost.unitsPerDay)} runs a day`
            ) : (
              <span className="nums">
                {usd(provider.cost.inputUsdPerMillion)} in, {usd(provider.cost.outputUsdPerMillion)} out a million
                tokens
              </span>
            )}
          </Fact>
          {provider.api_endpoint === null ? null : (
            <Fact name="Endpoint">
              <span className="font-mono text-xs break-all">{provider.api_endpoint}</span>
            </Fact>
          )}
        </dl>
      </div>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="leading-5 text-ink-3">{name}</dt>
      <dd className="min-w-0 leading-5">{children}</dd>
    </>
  );
}
