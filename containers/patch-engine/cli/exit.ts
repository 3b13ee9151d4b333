import type { ErrorCode, VibeError } from "@shared/contracts";

export const EXIT = { done: 0, refused: 1, usage: 2, stale: 3, gate: 4, io: 5 } as const;

const STALE: readonly ErrorCode[] = [
  "STALE_CONTENT",
  "AMBIGUOUS_LOCATION",
  "SEARCH_NOT_FOUND",
  "SEARCH_COUNT_MISMATCH",
  "HEAD_MISMATCH",
  "CONFLICT",
  "IDEMPOTENCY_CONFLICT",
  "REVERT_CONFLICT",
  "ALREADY_REVERTED",
];
const GATE: readonly ErrorCode[] = [
  "TASK_SCOPE_VIOLATION",
  "UNKNOWN_TASK",
  "GUARDED_REGION",
  "CHANGE_LIMIT_EXCEEDED",
  "OMISSION_FOUND",
  "SECRET_FOUND",
  "SYNTAX_ERROR",
  "TYPE_ERROR",
  "CHECK_FAILED",
];
const IO: readonly ErrorCode[] = [
  "IO_ERROR",
  "LOG_CORRUPT",
  "LOCK_TIMEOUT",
  "CHAIN_BROKEN",
  "TREE_MISMATCH",
  "ENGINE_UNAVAILABLE",
  "ENGINE_TIMEOUT",
  "INTERNAL",
];

/** The exit code that stands for an error: stale or conflicting, a gate, the disk, or else simply refused. */
export function exitCodeOf({ code }: VibeError): number {
  if (STALE.includes(code)) return EXIT.stale;
  if (GATE.includes(code)) return EXIT.gate;
  return IO.includes(code) ? EXIT.io : EXIT.refused;
}
