import type { Decision } from "@shared/contracts";
import { ArrowRight, Ban } from "lucide-react";
import { useState } from "react";
import { cn } from "../../lib/cn.ts";
import { moment, percent } from "../../lib/format.ts";
import { Identifier } from "../copy.tsx";

type Candidate = Decision["candidates"][number];

const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
const keyOf = ({ provider, model }: Pick<Candidate, "provider" | "model">): string => `${provider} ${model}`;

/** Why a task went to whom: who could take it, what each one's score is the sum of, and who was out by which rule. */
export function DecisionView({ decision }: { decision: Decision }) {
  const chosen = keyOf(decision);
  const [shown, setShown] = useState(chosen);
  const scored = decision.candidates
    .filter(({ refused }) => refused.length === 0)
    .toSorted((a, b) => (b.score ?? Number.NEGATIVE_INFINITY) - (a.score ?? Number.NEGATIVE_INFINITY));
  const refused = decision.candidates.filter((candidate) => candidate.refused.length > 0);
  const names = [...new Set(scored.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const looked = scored.find((candidate) => keyOf(candidate) === shown) ?? scored[0];
  return (
    <div className="space-y-4">
      <div>
        <p className="flex flex-wrap items-baseline gap-x-2 text-base">
          <span className="font-semibold">{decision.provider}</span>
          <span className="break-all font-mono text-xs text-ink-2">{decision.model}</span>
          <span className="text-sm text-ink-3">
            {decision.by === "override" ? "was asked for, and its rules allow it" : "has the highest score"}
          </span>
        </p>
        {decision.chain.length > 0 ? (
          <p className="mt-1 flex flex-wrap items-center gap-x-1.5 gap-y-0.5 text-xs text-ink-3">
            Should it fail
            {decision.chain.map((next) => (
              <span key={keyOf(next)} className="inline-flex items-center gap-1.5 text-ink-2" title={next.model}>
                <ArrowRight className="size-3 text-ink-3" aria-hidden />
                {next.provider}
              </span>
            ))}
          </p>
        ) : null}
      </div>

      <Inputs decision={decision} />

      <section aria-label="Scores">
        <h3 className="label mb-1.5">Scores, each the sum of its parts</h3>
        <div
          className="overflow-x-auto rounded-md border border-line"
          tabIndex={0}
          role="region"
          aria-label="Scores of the candidates"
        >
          <table className="w-full text-sm">
            <thead>
              <tr className="border-b border-line bg-sunken">
                <th scope="col" className="h-8 px-3 text-left">
                  <span className="label">Candidate</span>
                </th>
                <th scope="col" className="px-3 text-right">
                  <span className="label">Score</span>
                </th>
                {names.map((name) => (
                  <th key={name} scope="col" className="px-3 text-right whitespace-nowrap">
                    <span className="label">{name}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {scored.map((candidate) => {
                const key = keyOf(candidate);
                const isChosen = key === chosen;
                return (
                  <tr key={key} className={cn("border-b border-line last:border-0", isChosen && "bg-accent-soft")}>
                    <td className="px-3 py-1.5">
                      <button
                        type="button"
                        aria-pressed={looked === candidate}
                        onClick={() => setShown(key)}
                        className="block max-w-56 text-left hover:underline"
                      >
                        <span className={cn("block", isChosen && "font-semibold")}>
                          {candidate.provider}
                          {isChosen ? <span className="sr-only">, chosen</span> : null}
                        </span>
                        <span className="block truncate font-mono text-2xs text-ink-3">{candidate.model}</span>
                      </button>
                    </td>
                    <td className="nums px-3 text-right font-mono text-xs font-semibold">
                      {candidate.score === null ? "–" : candidate.score.toFixed(3)}
                    </td>
                    {names.map((name) => {
                      const part = candidate.parts.find((each) => each.name === name);
                      return (
                        <td
                          key={name}
                          title={part?.why}
                          className={cn(
                            "nums px-3 text-right font-mono text-xs",
                            part === undefined || part.value === 0 ? "text-ink-3" : "text-ink-2",
                          )}
                        >
                          {part === undefined ? "–" : signed(part.value)}
                        </td>
                      );
                    })}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
        {looked ? (
          <>
            <h3 className="label mt-4 mb-1.5">
              {looked.provider}
              {looked.sample === null ? "" : `, drawn share of success ${percent(looked.sample * 100)}`}
            </h3>
            <dl className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-1.5 sm:grid-cols-[9rem_4.500rem_minmax(0,1fr)]">
              {looked.parts.map((part) => (
                <div key={part.name} className="col-span-2 grid grid-cols-subgrid sm:col-span-3">
                  <dt className="text-ink-2">{part.name}</dt>
                  <dd className="nums font-mono text-xs leading-5 sm:text-right">{signed(part.value)}</dd>
                  <dd className="col-span-2 break-words text-ink-3 sm:col-span-1">{part.why}</dd>
                </div>
              ))}
            </dl>
          </>
        ) : (
          <p className="text-ink-3">Nobody could take it.</p>
        )}
      </section>

      {refused.length > 0 ? (
        <section aria-label="Ruled out">
          <h3 className="label mb-1.5">Ruled out</h3>
          <ul className="space-y-1.5">
            {refused.map((candidate) => (
              <li key={keyOf(candidate)} className="flex gap-2">
                <Ban className="mt-1 size-3 shrink-0 text-ink-3" aria-hidden />
                <span className="min-w-0">
                  <span className="text-ink-2">{candidate.provider}</span>{" "}
                  <span className="break-words text-ink-3">
                    {candidate.refused.map(({ rule, why }) => `${rule}: ${why}`).join("; ")}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  );
}

function Inputs({ decision }: { decision: Decision }) {
  const { inputs } = decision;
  const facts: [string, string | null][] = [
    ["Type", inputs.type],
    ["Language", inputs.language],
    ["Priority", inputs.priority],
    ["Cost", inputs.cost_profile],
    ["Preferred model", inputs.preferredModel],
    ["Asked for", inputs.preferred],
    [
      "Branch",
      inputs.repository === null
        ? "no repository"
        : `${inputs.repository}${inputs.branch === null ? "" : `@${inputs.branch}`}${inputs.branchOnGithub ? "" : ", not on GitHub"}`,
    ],
    ["Decided", moment(decision.decided_at)],
  ];
  return (
    <dl className="flex flex-wrap gap-x-5 gap-y-1.5 rounded-md bg-sunken px-3 py-2">
      {facts.map(([name, value]) =>
        value === null ? null : (
          <div key={name} className="min-w-0">
            <dt className="label">{name}</dt>
            <dd className="text-xs text-ink [overflow-wrap:anywhere]">{value}</dd>
          </div>
        ),
      )}
      <div className="min-w-0">
        <dt className="label">Seed</dt>
        <dd>
          <Identifier value={decision.seed} label="the seed" short />
        </dd>
      </div>
    </dl>
  );
}
