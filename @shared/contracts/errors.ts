import { z } from "zod";

/**
 * Every error code and the HTTP status its problem document carries (RFC 9457). A code without a status does not
 * compile, and there is no other list.
 */
export const ERROR_STATUS = {
  // The request itself
  MALFORMED_JSON: 400,
  VALIDATION_FAILED: 400,
  ILL_FORMED_UNICODE: 400,
  BLOCK_FILE_REFUSED: 400,
  MISSING_BLOCK: 400,
  PATH_INVALID: 400,
  WORKSPACE_UNRESOLVED: 400,
  UNKNOWN_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  IDEMPOTENCY_CONFLICT: 409,
  INVALID_TRANSITION: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UPGRADE_REQUIRED: 426,
  RATE_LIMITED: 429,
  // Workspaces and their log
  WORKSPACE_NOT_FOUND: 404,
  WORKSPACE_EXISTS: 409,
  SOURCE_INVALID: 422,
  HEAD_MISMATCH: 409,
  PATCH_NOT_FOUND: 404,
  BATCH_NOT_FOUND: 404,
  UNKNOWN_TASK: 422,
  // A patch that cannot be placed
  PATH_FORBIDDEN: 403,
  FILE_NOT_FOUND: 422,
  FILE_EXISTS: 409,
  FILE_TOO_LARGE: 413,
  NOT_A_REGULAR_FILE: 422,
  BINARY_FILE: 422,
  NOT_UTF8: 422,
  NUL_IN_CONTENT: 422,
  RANGE_OUT_OF_BOUNDS: 422,
  OVERLAPPING_PATCHES: 422,
  STALE_CONTENT: 409,
  AMBIGUOUS_LOCATION: 409,
  MARKER_NOT_FOUND: 422,
  SEARCH_NOT_FOUND: 409,
  SEARCH_COUNT_MISMATCH: 409,
  DIFF_INVALID: 422,
  DIFF_BINARY: 422,
  /** A text to import is not of its format. */
  IMPORT_INVALID: 422,
  /** Nothing is wrong with this patch: another of its batch was refused, and a batch is all or nothing. */
  BATCH_REFUSED: 422,
  // Gates
  TASK_SCOPE_VIOLATION: 403,
  GUARDED_REGION: 403,
  CHANGE_LIMIT_EXCEEDED: 422,
  OMISSION_FOUND: 422,
  SECRET_FOUND: 422,
  SYNTAX_ERROR: 422,
  TYPE_ERROR: 422,
  CHECK_FAILED: 422,
  // History
  ALREADY_REVERTED: 409,
  REVERT_CONFLICT: 409,
  CHAIN_BROKEN: 409,
  TREE_MISMATCH: 409,
  // Providers and outside systems
  PROVIDER_NOT_SUITABLE: 422,
  PROVIDER_UNAVAILABLE: 503,
  BUDGET_EXCEEDED: 402,
  RUN_NOT_FOUND: 404,
  EXECUTION_NOT_FOUND: 404,
  UPSTREAM_REFUSED: 502,
  UPSTREAM_UNAVAILABLE: 503,
  // Callbacks of health checks
  /** The address that a check is to be answered at is not the orchestrator's. */
  HEALTH_CALLBACK_FOREIGN: 400,
  /** Not signed, or with a nonce that no check bears. */
  HEALTH_CALLBACK_FORGED: 401,
  /** The nonce is that of another check, or of another Worker's. */
  HEALTH_CALLBACK_MISMATCHED: 403,
  HEALTH_CALLBACK_REPEATED: 409,
  HEALTH_CALLBACK_LATE: 410,
  // This side
  LOCK_TIMEOUT: 503,
  ENGINE_UNAVAILABLE: 503,
  ENGINE_TIMEOUT: 504,
  DATABASE_UNAVAILABLE: 503,
  FACTORY_UNAVAILABLE: 503,
  SHUTTING_DOWN: 503,
  /** Said by a client: no answer came. Whether the request arrived is not known. */
  UNREACHABLE: 503,
  IO_ERROR: 500,
  LOG_CORRUPT: 500,
  INTERNAL: 500,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof ERROR_STATUS;

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_STATUS, code);
export const ErrorCodeSchema = z.enum(Object.keys(ERROR_STATUS).filter(isErrorCode));

/** Codes for which the same request may succeed later, unchanged. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "RATE_LIMITED",
  "HEAD_MISMATCH",
  "LOCK_TIMEOUT",
  "ENGINE_UNAVAILABLE",
  "ENGINE_TIMEOUT",
  "DATABASE_UNAVAILABLE",
  "FACTORY_UNAVAILABLE",
  "PROVIDER_UNAVAILABLE",
  "UPSTREAM_UNAVAILABLE",
  "SHUTTING_DOWN",
  "UNREACHABLE",
  "IO_ERROR",
]);

export const isRetryable = (code: ErrorCode): boolean => RETRYABLE.has(code);

/** Numbered lines of the file as it stands, around the place of an error. `startLine` is 1-based. */
export const ErrorContextSchema = z.object({
  startLine: z.number().int().positive(),
  lines: z.array(z.string()),
});

/** A place where the wanted text stands: 1-based, inclusive lines. */
export const CandidateSchema = z.object({
  start: z.number().int().positive(),
  end: z.number().int().positive(),
  lines: z.array(z.string()).optional(),
});

/** Where expected and actual text first differ; `line` is 1-based in the file. */
export const DivergenceSchema = z.object({
  line: z.number().int().positive(),
  expected: z.string().nullable(),
  actual: z.string().nullable(),
});

/** One finding of a gate or schema check: `path` into the payload or a place in a file. */
export const FindingSchema = z.object({
  path: z.array(z.union([z.string(), z.number()])).optional(),
  file: z.string().optional(),
  line: z.number().int().positive().optional(),
  column: z.number().int().positive().optional(),
  code: z.string().optional(),
  message: z.string(),
});

/**
 * All that an agent needs to correct itself in one turn. `nothingWritten` null means in doubt: the outcome is not known
 * yet, and asking again with the same `batchId` will tell.
 */
export const VibeErrorSchema = z.object({
  code: ErrorCodeSchema,
  message: z.string(),
  retryable: z.boolean(),
  nothingWritten: z.boolean().nullable(),
  patchId: z.string().optional(),
  file: z.string().optional(),
  context: ErrorContextSchema.optional(),
  candidates: z.array(CandidateSchema).optional(),
  firstDivergence: DivergenceSchema.optional(),
  currentSha256: z.string().optional(),
  findings: z.array(FindingSchema).optional(),
});

export type ErrorContext = z.infer<typeof ErrorContextSchema>;
export type Candidate = z.infer<typeof CandidateSchema>;
export type Divergence = z.infer<typeof DivergenceSchema>;
export type Finding = z.infer<typeof FindingSchema>;
export type VibeError = z.infer<typeof VibeErrorSchema>;

/** Builds an error; `retryable` follows from the code, and nothing was written unless the caller says otherwise. */
export function vibeError(
  code: ErrorCode,
  message: string,
  detail: Partial<Omit<VibeError, "code" | "message">> = {},
): VibeError {
  return { code, message, retryable: isRetryable(code), nothingWritten: true, ...detail };
}

export type Ok<T> = { ok: true } & T;
export type Failed = { ok: false; error: VibeError };
/** What every verb and RPC method answers: it never throws across a binding. */
export type Result<T> = Ok<T> | Failed;

export const fail = (
  code: ErrorCode,
  message: string,
  detail?: Partial<Omit<VibeError, "code" | "message">>,
): Failed => ({
  ok: false,
  error: vibeError(code, message, detail),
});

/** A schema's complaints as one VALIDATION_FAILED error that names the path of each. */
export function validationError(error: z.ZodError): VibeError {
  const findings = error.issues.map((issue) => ({
    path: issue.path.map((part) => (typeof part === "number" ? part : String(part))),
    code: issue.code ?? "custom",
    message: issue.message,
  }));
  const first = findings[0];
  const where = first && first.path.length > 0 ? `${first.path.join(".")}: ` : "";
  return vibeError("VALIDATION_FAILED", `${where}${first?.message ?? "invalid"}`, { findings: findings.slice(0, 50) });
}

/** RFC 9457 problem details, with this house's extension members. */
export const ProblemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  instance: z.string().optional(),
  ok: z.literal(false),
  code: ErrorCodeSchema,
  requestId: z.string().optional(),
  error: VibeErrorSchema,
});
export type Problem = z.infer<typeof ProblemSchema>;

export const problemOf = (error: VibeError, extra: { instance?: string; requestId?: string } = {}): Problem => ({
  type: `urn:vibehq:error:${error.code.toLowerCase().replaceAll("_", "-")}`,
  title: error.code,
  status: ERROR_STATUS[error.code],
  detail: error.message,
  ok: false,
  code: error.code,
  error,
  ...extra,
});
