/** Rows as D1 gives them. */
export interface Item {
  id: number;
  name: string;
  created_at: string;
}

// ###FINAL_MILE_PROMPT__ROWS###
// One interface a table.
// ###END_ROWS###
