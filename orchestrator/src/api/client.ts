import { createClient } from "@shared/client";
import type { Failed, Ok, Result, VibeError } from "@shared/contracts";
import { QueryCache, QueryClient } from "@tanstack/react-query";

export const origin = window.location.origin;
/** No token: the session is in a cookie that scripts cannot read. */
export const client = createClient({ url: origin });

/** A refusal as an error that can be thrown to TanStack Query, which keeps it for the page to show. */
export class ApiError extends Error {
  readonly detail: VibeError;
  constructor(detail: VibeError) {
    super(detail.message);
    this.name = "ApiError";
    this.detail = detail;
  }
}

/** The value of an answer; throws ApiError where it was refused. */
export async function need<T>(answer: Promise<Result<T>> | Promise<Ok<T> | Failed>): Promise<Ok<T>> {
  const result = await answer;
  if (!result.ok) throw new ApiError(result.error);
  return result;
}

/** Told when an answer says that the session is over. */
let onSignedOut: () => void = () => undefined;
export const whenSignedOut = (listener: () => void): void => {
  onSignedOut = listener;
};
export const signedOut = (): void => onSignedOut();

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (error instanceof ApiError && error.detail.code === "UNAUTHENTICATED" && query.queryKey[0] !== "session")
        onSignedOut();
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      gcTime: 5 * 60_000,
      // What may succeed unchanged is asked again, the rest is not.
      retry: (failures, error) => error instanceof ApiError && error.detail.retryable && failures < 2,
      retryDelay: (attempt) => Math.min(4_000, 400 * 2 ** attempt),
      refetchOnWindowFocus: true,
    },
  },
});
