import { GitPullRequest, LockKeyhole, Unplug } from "lucide-react";
import { ApiError } from "../../api/client.ts";
import { Problem } from "../problems.tsx";
import { Button } from "../ui/button.tsx";
import { Empty } from "../ui/surface.tsx";

/** Why GitHub shows nothing: it is not connected, no repository is named, it is not to be reached, or it refuses. */
export function GithubProblem({ error, retry }: { error: unknown; retry: () => void }) {
  if (!(error instanceof ApiError)) return <Problem error={error} retry={retry} />;
  const { code, message } = error.detail;
  if (code === "UPSTREAM_UNAVAILABLE" && message.startsWith("GitHub is not configured"))
    return (
      <Empty icon={<Unplug />} title="GitHub is not connected">
        {message}.
      </Empty>
    );
  if (code === "VALIDATION_FAILED")
    return (
      <Empty icon={<GitPullRequest />} title="Choose a project">
        {message}.
      </Empty>
    );
  if (code === "FORBIDDEN" && message.includes("GITHUB_REPOSITORIES"))
    return (
      <Empty icon={<LockKeyhole />} title="This repository is not reached">
        It is not on the deployment's list GITHUB_REPOSITORIES.
      </Empty>
    );
  const title = {
    UPSTREAM_UNAVAILABLE: "GitHub does not answer",
    UPSTREAM_REFUSED: "GitHub refuses",
    RATE_LIMITED: "GitHub's limit is reached",
    NOT_FOUND: "GitHub does not show this repository",
  }[code as string];
  if (title === undefined) return <Problem error={error} retry={retry} />;
  return (
    <div role="alert">
      <Empty icon={<Unplug />} title={title}>
        <span className="break-words">{message}</span>
        <span className="mt-3 block">
          <Button onClick={retry}>Try again</Button>
        </span>
      </Empty>
    </div>
  );
}
