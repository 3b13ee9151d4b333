/**
 * Markdown from texts that anyone may have written. A text becomes one line that renders as itself, in CommonMark and
 * GitHub's tables: no markup, no link, no HTML, no line or column of a table of its own.
 */

const PUNCTUATION = /[!"#$%'()*+,\-./:;=?@[\\\]^_`{}~]/g;
const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;" };
/** Controls, line and paragraph separators, what turns the direction of text or has no width: said by number instead. */
const UNSEEN = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Co}|\p{Variation_Selector}|\u115f|\u1160|\u3164|\uffa0/gu;
/** Letters that an autolink of GitHub's begins with, broken by an entity: backslashes do not stop those. */
const AUTOLINK = /\b(https?|ftp|www|mailto|xmpp)(?=[\\.:])/gi;

/** Clips to `max` UTF-16 units, never in the middle of a surrogate pair. */
const clip = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

export function escapeMarkdown(text: string, max = 400): string {
  return clip(text.toWellFormed(), max)
    .toWellFormed()
    .replace(/\s+/g, " ")
    .replace(UNSEEN, (unseen) => `⟨U+${(unseen.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`)
    .trim()
    .replaceAll(/[&<>|]/g, (character) => ENTITIES[character] ?? "")
    .replaceAll(/&(?:amp|lt|gt|#124);|[^&]+/g, (part) =>
      part.startsWith("&") ? part : part.replace(PUNCTUATION, (character) => `\\${character}`),
    )
    .replace(AUTOLINK, (word) => `&#${word.charCodeAt(0)};${word.slice(1)}`);
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
