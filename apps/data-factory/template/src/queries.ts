/** A statement with its parameters in order. */
export interface Query {
  sql: string;
  params: (string | number | null)[];
}

export const listItems = (limit: number): Query => ({
  sql: "SELECT id, name, created_at FROM items ORDER BY id DESC LIMIT ?1",
  params: [limit],
});

export const getItem = (id: number): Query => ({
  sql: "SELECT id, name, created_at FROM items WHERE id = ?1",
  params: [id],
});

export const addItem = (name: string): Query => ({
  sql: "INSERT INTO items (name) VALUES (?1) RETURNING id, name, created_at",
  params: [name],
});

// ###FINAL_MILE_PROMPT__QUERIES###
// Further queries, each a function that answers with a Query.
// ###END_QUERIES###
