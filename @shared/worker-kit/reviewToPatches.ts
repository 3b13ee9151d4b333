import type { CodeReviewOutputType, PatchBatchInput, PatchOperationInput } from "@shared/contracts";

/** Plans the fix of one issue; null where the issue does not determine it. */
export type PlanFix = (filePath: string, issue: string) => Promise<PatchOperationInput | null>;

/** Turns a review's findings into surgical fixes. Files that need no code change, and issues without a plan, add none. */
export async function codeReviewToPatchBatch(review: CodeReviewOutputType, planFix: PlanFix): Promise<PatchBatchInput> {
  const planned = await Promise.all(
    review.filesToFix
      .filter((file) => file.require_code_changes)
      .flatMap(({ filePath, issues }) => issues.map((issue) => planFix(filePath, issue))),
  );
  return {
    requester: "lint-specialist",
    reason: "code-review-fixes",
    patches: planned.filter((patch) => patch !== null),
  };
}

const STATED_FIX = /^replace `(?<search>[^`]+)` with `(?<replace>[^`]*)`\.?$/i;

/** Plans a fix that the issue states itself, in the form "replace `old` with `new`"; any other needs a model. */
export const planStatedFix: PlanFix = async (file, issue) => {
  const { search, replace } = STATED_FIX.exec(issue.trim())?.groups ?? {};
  return search === undefined || replace === undefined ? null : { op: "search-replace", file, search, replace };
};
