const MAX_MESSAGE = 500;
const MAX_TEMPLATE = 160;

/** What varies from one occurrence of an error to the next, in the order it is looked for. */
const VARYING: readonly [RegExp, string][] = [
  [/"[^"]*"|`[^`]*`|(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu, "…"],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, "<id>"],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b/gi, "<hash>"],
  [/[\w.@~-]*(?:\/[\w.@~-]+)+/g, "<path>"],
  [/\b[\w-]+\.(?:[cm]?[jt]sx?|json|css|html|md|sql|ya?ml|toml|py|txt|svg)\b/gi, "<path>"],
  [/\b[\w-]*\d[\w-]*\b/g, "<n>"],
  [/\s+/g, " "],
];

/**
 * An error message without what varies between occurrences: quoted texts, paths, ids, hashes and numbers. Messages of
 * one template are one kind of trouble.
 */
export function templateOf(message: string): string {
  let template = message.slice(0, MAX_MESSAGE);
  for (const [pattern, placeholder] of VARYING) template = template.replaceAll(pattern, placeholder);
  return template.trim().slice(0, MAX_TEMPLATE).toWellFormed();
}
