/** UTF-16 units a row: at most 768 KiB of UTF-8, under the 1 MB a value may have. */
const PART = 256 * 1024;

/** Texts of any length by name, in rows that are each small enough. Names are `intent:<batch>`, `result:<batch>`, `entry:<seq>`. */
export class Texts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  write(owner: string, text: string): void {
    this.remove(owner);
    let part = 0;
    for (let start = 0; start < text.length; part++) {
      let end = Math.min(start + PART, text.length);
      // Never between the halves of a surrogate pair: each half alone would be stored as U+FFFD.
      if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
      this.#sql.exec("INSERT INTO texts (owner, part, text) VALUES (?, ?, ?)", owner, part, text.slice(start, end));
      start = end;
    }
  }

  /** Null where nothing of that name stands. */
  read(owner: string): string | null {
    const parts = this.#sql
      .exec<{ text: string }>("SELECT text FROM texts WHERE owner = ? ORDER BY part", owner)
      .toArray();
    return parts.length === 0 ? null : parts.map((row) => row.text).join("");
  }

  remove(owner: string): void {
    this.#sql.exec("DELETE FROM texts WHERE owner = ?", owner);
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
