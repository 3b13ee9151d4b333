import type { ExportFormat } from "@shared/contracts";
import { textStream } from "../textStream.ts";

/** A row to be exported: nested values stand as JSON in a CSV cell. */
export type ExportRow = Record<string, unknown>;
export interface Export {
  format: Exclude<ExportFormat, "json">;
  /** Without its extension. */
  name: string;
  /** Of a CSV: its columns, in order. */
  columns: readonly string[];
  rows: AsyncIterable<ExportRow> | Iterable<ExportRow>;
}

const TYPES = { csv: "text/csv; charset=utf-8; header=present", ndjson: "application/x-ndjson" } as const;

/** A streamed answer: rows are asked for as the caller takes them. */
export function exported({ format, name, columns, rows }: Export): Response {
  const text = format === "csv" ? csvOf(columns, rows) : ndjsonOf(rows);
  return new Response(textStream(text), {
    headers: {
      "content-type": TYPES[format],
      "content-disposition": `attachment; filename="${name}.${format}"`,
      "cache-control": "no-store",
    },
  });
}

async function* ndjsonOf(rows: Export["rows"]): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`;
}

async function* csvOf(columns: readonly string[], rows: Export["rows"]): AsyncGenerator<string> {
  yield `${columns.map(cellOf).join(",")}\r\n`;
  for await (const row of rows) yield `${columns.map((column) => cellOf(row[column])).join(",")}\r\n`;
}

/** What a spreadsheet takes for the beginning of a formula, after blanks too. */
const FORMULA = /^\s*[=+\-@\t\r\n＝＋－＠]/;

/**
 * A CSV cell (RFC 4180). A text that a spreadsheet would calculate gets an apostrophe before it, as OWASP advises
 * against CSV injection; numbers are not texts.
 */
export function cellOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const inert = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) || inert !== inert.trim() ? `"${inert.replaceAll('"', '""')}"` : inert;
}
