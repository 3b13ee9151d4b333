import type { TextFile } from "../core/index.ts";

/** Languages whose comments are known, by what opens one. */
export type Language = "script" | "style" | "markup" | "json" | "python" | "yaml" | "shell";

const LANGUAGES: Readonly<Record<string, Language>> = {
  ...Object.fromEntries(["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"].map((one) => [one, "script"] as const)),
  ...Object.fromEntries(["css", "scss", "less"].map((one) => [one, "style"] as const)),
  ...Object.fromEntries(["html", "htm", "vue", "svelte", "xml", "svg"].map((one) => [one, "markup"] as const)),
  json: "json",
  jsonc: "json",
  json5: "json",
  py: "python",
  pyi: "python",
  yml: "yaml",
  yaml: "yaml",
  sh: "shell",
  bash: "shell",
  zsh: "shell",
};

/** The language of a file by its name, or by a shell's first line; null where its comments are not known. */
export function languageOf(path: string, firstLine: string): Language | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const extension = /\.([A-Za-z0-9]+)$/u.exec(name)?.[1]?.toLowerCase();
  if (extension !== undefined && Object.hasOwn(LANGUAGES, extension)) return LANGUAGES[extension] ?? null;
  return /^#!.*\b(?:ba|z|da|k)?sh\b/u.test(firstLine) ? "shell" : null;
}

/** A comment, or what a writer put where a comment cannot be: a JSON key, an ellipsis on a line of its own. */
export interface Comment {
  /** 1-based line where it begins, and where it ends. */
  line: number;
  end: number;
  /** Its words, without what opens and closes it, on one line. */
  text: string;
  /** Nothing else stands on its lines. */
  alone: boolean;
}

/*
 * Strings come first, so that what looks like a comment inside one is none. What is never closed goes to the end, so
 * that a hostile text is still read once.
 */
const DOUBLE = /"(?:[^"\\\n]|\\.)*"/u.source;
const SINGLE = /'(?:[^'\\\n]|\\.)*'/u.source;
const TEMPLATE = /`(?:[^`\\]|\\[^])*(?:`|$)/u.source;
const SLASHES = /\/\/[^\n]*/u.source;
const STARRED = /\/\*[^]*?(?:\*\/|$)/u.source;
const ANGLED = /<!--[^]*?(?:-->|$)/u.source;
const TRIPLE = /"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)/u.source;
const HASH = /(?<![^\s])#[^\n]*/u.source;

const TOKENS: Readonly<Record<Language, RegExp>> = {
  script: new RegExp([DOUBLE, SINGLE, TEMPLATE, SLASHES, STARRED].join("|"), "gu"),
  style: new RegExp([DOUBLE, SINGLE, STARRED, String.raw`(?<![:\S])${SLASHES}`].join("|"), "gu"),
  markup: new RegExp([ANGLED, STARRED, String.raw`(?<=^[ \t]*)${SLASHES}`].join("|"), "gmu"),
  json: new RegExp([DOUBLE, SLASHES, STARRED, HASH].join("|"), "gu"),
  python: new RegExp([TRIPLE, DOUBLE, SINGLE, HASH].join("|"), "gu"),
  yaml: new RegExp([DOUBLE, SINGLE, HASH].join("|"), "gu"),
  shell: new RegExp([DOUBLE, SINGLE, HASH].join("|"), "gu"),
};

const OPENS = /^(?:\/\/|\/\*|<!--|#)/u;

/** A string of nothing but an ellipsis and words for what is left out, as keys and items of JSON. */
const JSON_STAND_IN = /^\s*"((?:\/\/|#|_*comment_*"\s*:\s*")?\s*(?:\.\.\.|…)[^"]*|\/\/[^"]*)"\s*(?::\s*.*)?,?\s*$/u;

/** The comments of a text, in order, and what stands for one. */
export async function commentsOf(path: string, language: Language, file: TextFile): Promise<Comment[]> {
  const text = file.bytes.toString("utf8", file.bomLength);
  const found =
    (language === "script" ? await parsedComments(path, text) : null) ??
    [...text.matchAll(TOKENS[language])]
      .filter(([token]) => OPENS.test(token))
      .map(({ 0: token, index }) => ({ start: index, end: index + token.length }));
  const lines = lineIndex(text);
  const comments = found.map(({ start, end }): Comment => {
    const line = lines.lineAt(start);
    const last = lines.lineAt(Math.max(start, end - 1));
    const around = text.slice(lines.startOf(line), start) + text.slice(end, lines.endOf(last));
    // The braces of a comment between JSX elements are part of it.
    return { line, end: last, text: wordsOf(text.slice(start, end)), alone: /^[\s{}]*$/u.test(around) };
  });
  for (const line of lines.starting()) comments.push(...standIns(language, line.text, line.number));
  return comments.toSorted((a, b) => a.line - b.line);
}

function standIns(language: Language, text: string, line: number): Comment[] {
  if (language === "json") {
    const key = JSON_STAND_IN.exec(text)?.[1];
    if (key !== undefined) return [{ line, end: line, text: wordsOf(key), alone: true }];
  }
  // An ellipsis is a value in Python, the end of a document in YAML, and copy for a reader in markup.
  const bare = /^\s*(?:\.\.\.|…)\s*[([]?[^()[\]]*[)\]]?\s*(?:\.\.\.|…)?,?\s*$/u.test(text);
  if (!bare || language === "python" || language === "markup") return [];
  if (language === "yaml" && !/^\s/u.test(text)) return [];
  // `...rest,` spreads.
  if (language === "script" && !/^\s*(?:\.\.\.|…)(?:\s|$)/u.test(text)) return [];
  return [{ line, end: line, text: wordsOf(text), alone: true }];
}

/** What the parser says are comments; null where the text does not parse. */
async function parsedComments(path: string, text: string): Promise<{ start: number; end: number }[] | null> {
  const { parseSync } = await import("oxc-parser");
  const lang = /\.[cm]?tsx?$/iu.test(path) ? (path.toLowerCase().endsWith("x") ? "tsx" : "ts") : "jsx";
  const parsed = parseSync(path, text, { lang });
  return parsed.errors.length === 0 ? parsed.comments.map(({ start, end }) => ({ start, end })) : null;
}

const wordsOf = (comment: string): string =>
  comment
    .replace(/^(?:\/\/+|\/\*+|<!--+|#+)/u, "")
    .replace(/(?:\*+\/|--+>)$/u, "")
    .replaceAll(/\n\s*\*?/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .trim();

/** Lines of a text by offset: 1-based lines, UTF-16 offsets. */
export function lineIndex(text: string) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  const startOf = (line: number): number => starts[line - 1] ?? text.length;
  const endOf = (line: number): number => (line < starts.length ? startOf(line + 1) - 1 : text.length);
  return {
    startOf,
    endOf,
    lineAt(offset: number): number {
      let low = 0;
      let high = starts.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((starts[middle] ?? Infinity) <= offset) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    *starting() {
      for (let line = 1; line <= starts.length; line++) {
        yield { number: line, text: text.slice(startOf(line), endOf(line)).replace(/\r$/u, "") };
      }
    },
  };
}
