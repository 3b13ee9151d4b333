import { useCallback, useMemo, useState } from "react";
import { type Shortcut, useKeys } from "./keys.ts";

/** `j` and `k` through a list, `Enter` to open what they stand on. Answers with the key of that row. */
export function useListKeys<Row>(
  group: string,
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  open: (row: Row) => void,
): string | null {
  const [cursor, setCursor] = useState<string | null>(null);
  const move = useCallback(
    (step: number) => {
      const here = rows.findIndex((row) => keyOf(row) === cursor);
      const next = rows[here === -1 ? 0 : Math.min(rows.length - 1, Math.max(0, here + step))];
      if (next === undefined) return;
      setCursor(keyOf(next));
      document.querySelector(`[data-row="${CSS.escape(keyOf(next))}"]`)?.scrollIntoView({ block: "nearest" });
    },
    [rows, keyOf, cursor],
  );
  useKeys(
    useMemo<Shortcut[]>(
      () => [
        { keys: "j", what: "Next", group, run: () => move(1) },
        { keys: "k", what: "Previous", group, run: () => move(-1) },
        {
          keys: "Enter",
          what: "Open",
          group,
          run: () => {
            const row = rows.find((each) => keyOf(each) === cursor);
            if (row !== undefined) open(row);
          },
        },
      ],
      [group, move, rows, keyOf, cursor, open],
    ),
  );
  return cursor;
}
