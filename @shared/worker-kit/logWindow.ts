import { fail, LogWindowSchema, type Result, validationError } from "@shared/contracts";

const HOUR_MS = 3_600_000;
/** The longest window that is read at once. */
const LONGEST_MS = 7 * 24 * HOUR_MS;

export interface ReadWindow {
  from: Date;
  to: Date;
  /** As the answer before gave it; null: from the beginning. */
  cursor: string | null;
}

/** The window of a request for logs: `window=24h` until now, or `from` and `to`. Errors: VALIDATION_FAILED. */
export function readLogWindow(query: Record<string, string>, now: number): Result<{ window: ReadWindow }> {
  const parsed = LogWindowSchema.safeParse(query);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { window = "24h", from, to, cursor = null } = parsed.data;
  const ends = to === undefined ? now : Date.parse(to);
  const length = Number(window.slice(0, -1)) * (window.endsWith("d") ? 24 : 1) * HOUR_MS;
  const begins = from === undefined ? ends - length : Date.parse(from);
  if (begins >= ends) return fail("VALIDATION_FAILED", "from: the window ends before it begins");
  if (ends - begins > LONGEST_MS) return fail("VALIDATION_FAILED", "window: at most seven days at once");
  return { ok: true, window: { from: new Date(begins), to: new Date(ends), cursor } };
}
