import { vibeError } from "@shared/contracts";

/** The answer, as JSON, where something happened that no verb foresaw. Named alone, so that no more is loaded with it. */
export const internalError = (message: string): string =>
  JSON.stringify({ ok: false, error: vibeError("INTERNAL", message, { nothingWritten: null }) });
