import { fail, type Result, validationError } from "@shared/contracts";
import { z } from "zod";

/**
 * Lists are read newest first by (created_at, id). A cursor names the last row seen, so a page costs the same wherever
 * it stands, and rows added meanwhile shift nothing.
 */
export const KeysetSchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(500).optional(),
});

export interface Place {
  createdAt: string;
  id: string;
}

const PlaceSchema = z.tuple([z.iso.datetime(), z.string().min(1).max(200)]);

const encodePlace = (place: Place): string =>
  Buffer.from(JSON.stringify([place.createdAt, place.id])).toString("base64url");

function decode(cursor: string): Place | null {
  try {
    const [createdAt, id] = PlaceSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    return { createdAt, id };
  } catch {
    // A caller's cursor is a caller's text: whatever is wrong with it, the answer is the same.
    return null;
  }
}

/** Reads a list's query: `limit`, `cursor` and the list's own filters. Errors: VALIDATION_FAILED. */
export function readList<Query extends z.infer<typeof KeysetSchema>>(
  schema: z.ZodType<Query>,
  input: unknown,
): Result<{ query: Query; after: Place | null }> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const query = parsed.data;
  if (query.cursor === undefined) return { ok: true, query, after: null };
  const after = decode(query.cursor);
  return after ? { ok: true, query, after } : fail("VALIDATION_FAILED", "cursor: not one of this list's cursors");
}

/** A page of `limit` items out of up to `limit + 1` rows; the row too many says that there is another page. */
export function pageOf<Row extends { created_at: string; id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  itemOf: (row: Row) => Item,
): { items: Item[]; cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(itemOf),
    cursor: rows.length > limit && last ? encodePlace({ createdAt: last.created_at, id: last.id }) : null,
  };
}
