import type { OrderPullRequest } from "@shared/contracts";
import { useQuery } from "@tanstack/react-query";
import { client, need } from "../../api/client.ts";
import { moment } from "../../lib/format.ts";
import { GithubLink } from "../ops/githubLink.tsx";
import { Problem } from "../problems.tsx";
import { StatusTag } from "../status.tsx";

/** GitHub tells of changes by webhook and nothing of them is on the stream, so they are asked for. */
const REFRESH_MS = 15_000;

const statusOf = ({ state, draft }: OrderPullRequest): string =>
  state === "open" && draft ? "pr:draft" : `pr:${state}`;

/** An order's pull requests and what their checks came to; nothing where there are none. */
export function OrderPullRequests({ orderId }: { orderId: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["order", orderId, "pull-requests"],
    queryFn: async ({ signal }) => (await need(client.orders.pullRequests(orderId, { signal }))).pull_requests,
    refetchInterval: REFRESH_MS,
  });
  if (data === undefined) return error === null ? null : <Problem error={error} retry={() => void refetch()} />;
  if (data.length === 0) return null;
  return (
    <ul className="mt-3 flex flex-wrap gap-2" aria-label="Pull requests of this order">
      {data.map((pull) => (
        <li
          key={`${pull.repository}#${pull.number}`}
          data-order-pull={pull.number}
          className="flex max-w-full flex-wrap items-center gap-x-2 gap-y-1 rounded-md border border-line bg-surface px-2 py-1 text-xs"
          title={`${pull.head_ref} into ${pull.base_ref}, opened ${moment(pull.created_at)}`}
        >
          <GithubLink address={pull.url} className="min-w-0 font-mono break-all">
            {pull.repository}#{pull.number}
          </GithubLink>
          <StatusTag status={statusOf(pull)} />
          {pull.checks === null ? null : <StatusTag status={`pr-checks:${pull.checks}`} />}
        </li>
      ))}
    </ul>
  );
}
