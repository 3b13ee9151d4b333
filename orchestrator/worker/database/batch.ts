import type { CompiledQuery } from "kysely";

/** A query as Kysely builds it, ready to be compiled. */
export interface Compilable {
  compile(): CompiledQuery;
}

/**
 * Runs queries as one D1 batch: all or none. kysely-d1 has no transactions, so this is the only way to write more than
 * one statement. A statement takes at most 100 parameters; lists go in as one JSON text read with `json_each`.
 */
export async function batch(database: D1Database, queries: readonly Compilable[]): Promise<D1Result[]> {
  return database.batch(
    queries.map((query) => {
      const { sql, parameters } = query.compile();
      return database.prepare(sql).bind(...parameters);
    }),
  );
}

/** The rows of one of a batch's statements. */
export const rowsOf = <Row>(result: D1Result<Row> | undefined): Row[] => result?.results ?? [];
