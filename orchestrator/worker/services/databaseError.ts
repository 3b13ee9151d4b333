import { vibeError, type VibeError } from "@shared/contracts";

/**
 * What a thrown error means where D1 threw it: it cannot be reached, or is overloaded. Its text names queries, so it
 * goes to the log alone. Null for every other error.
 */
export const databaseErrorOf = (error: unknown): VibeError | null =>
  error instanceof Error && error.message.startsWith("D1_")
    ? vibeError("DATABASE_UNAVAILABLE", "the database does not answer at the moment; try again", {
        nothingWritten: null,
      })
    : null;
