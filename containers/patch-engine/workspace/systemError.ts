import { fail } from "@shared/contracts";

/** The system's name of a failure, such as ENOENT. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** An I/O failure as a caller may see it: the system's code, never a path of this machine. */
export const ioError = (error: unknown, doing: string, nothingWritten: boolean | null = true) =>
  fail("IO_ERROR", `${doing}: ${errorCode(error) ?? "failed"}`, { nothingWritten });

export const isMissing = (error: unknown): boolean => errorCode(error) === "ENOENT";
export const isThere = (error: unknown): boolean => errorCode(error) === "EEXIST";
