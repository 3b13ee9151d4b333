import { fail, type Failed } from "@shared/contracts";
import type { GitFailure } from "./PushRepository.ts";

const MAX_REASON = 300;

const only = (failed: Failed) => ({ failed, lookAgain: false });

/** What git's words mean to the caller; `lookAgain`: the remote may tell more. Neither secrets nor places are in it. */
export function refusalOf(
  { stderr, timedOut }: GitFailure,
  context: { secrets: readonly string[]; places: readonly string[]; pushing: boolean },
): { failed: Failed; lookAgain: boolean } {
  const { secrets, places, pushing } = context;
  const hidden = [...secrets, ...places].reduce((text, word) => text.replaceAll(word, "…"), stderr);
  const said = (pattern: RegExp): string | null => {
    const text = pattern.exec(hidden)?.[1];
    return text === undefined
      ? null
      : text
          .replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ")
          .trim()
          .slice(0, MAX_REASON)
          .toWellFormed();
  };
  const doubt = { nothingWritten: pushing ? null : true };

  if (timedOut) return only(fail("UPSTREAM_UNAVAILABLE", "git took too long", doubt));
  if (
    /Authentication failed|could not read (?:Username|Password)|HTTP (?:code = )?40[13]\b|error: 40[13]\b/i.test(hidden)
  ) {
    return only(fail("UPSTREAM_REFUSED", "the remote refused the token"));
  }
  if (/repository .*not found|error: 404\b/i.test(hidden)) {
    return only(fail("NOT_FOUND", "the remote has no such repository, or does not show it to this token"));
  }
  const remote = said(/\[remote rejected\][^\n(]*\(([^\n]*)\)/);
  if (remote !== null && !/cannot lock ref|failed to update ref|reference already exists/i.test(remote)) {
    return only(fail("UPSTREAM_REFUSED", `the remote refused the branch: ${remote}`));
  }
  if (remote !== null || /\[rejected\]|stale info|non-fast-forward|fetch first/i.test(hidden)) {
    return { failed: fail("CONFLICT", "the branch moved meanwhile", { retryable: true }), lookAgain: true };
  }
  const reason = said(/^(?:fatal|error): ([^\n]*)/m) ?? "git did not say why";
  if (
    /unable to access|early EOF|hung up|RPC failed|Could not resolve|connect|unexpected disconnect|error: 5\d\d\b/i.test(
      hidden,
    )
  ) {
    return { failed: fail("UPSTREAM_UNAVAILABLE", `the remote did not answer: ${reason}`, doubt), lookAgain: pushing };
  }
  return only(fail("SOURCE_INVALID", `git cannot make this commit: ${reason}`, doubt));
}
