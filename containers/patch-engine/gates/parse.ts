import { TextFile } from "../core/index.ts";
import { jsonFault } from "./jsonFault.ts";

/** A place where a file does not parse: 1-based line and column, and the text of that line. */
export interface SyntaxFault {
  line: number;
  column: number;
  message: string;
  text: string;
}

type Parser = (path: string, text: string) => Promise<{ offset: number; message: string }[]>;

/** Parsers by extension. Each loads its library when the first such file comes. */
const PARSERS: Readonly<Record<string, Parser>> = {
  js: (path, text) => script(path, text, "jsx"),
  mjs: (path, text) => script(path, text, "jsx"),
  cjs: (path, text) => script(path, text, "jsx"),
  jsx: (path, text) => script(path, text, "jsx"),
  ts: (path, text) => script(path, text, /\.d\.[mc]?ts$|\.d\.[^.]+\.ts$/u.test(path) ? "dts" : "ts"),
  mts: (path, text) => script(path, text, path.endsWith(".d.mts") ? "dts" : "ts"),
  cts: (path, text) => script(path, text, path.endsWith(".d.cts") ? "dts" : "ts"),
  tsx: (path, text) => script(path, text, "tsx"),
  json: async (path, text) => json(takesComments(path) ? withoutComments(text) : text),
  yml: (_path, text) => yaml(text),
  yaml: (_path, text) => yaml(text),
};

/** The faults of a file; null where its syntax is not known here. */
export async function parseErrors(path: string, bytes: Uint8Array): Promise<SyntaxFault[] | null> {
  const extension = path.slice(path.lastIndexOf("/") + 1).match(/\.([a-z]+)$/u)?.[1];
  const parser = extension === undefined ? undefined : PARSERS[extension];
  if (!parser) return null;
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  // A byte order mark is no part of the text, and no parser here agrees with another on it.
  const text = content.startsWith("\ufeff") ? content.slice(1) : content;
  const faults = await parser(path, text);
  if (faults.length === 0) return [];
  const lines = TextFile.of(Buffer.from(text));
  return faults.map(({ offset, message }) => {
    const byte = Buffer.byteLength(text.slice(0, offset));
    const line = Math.max(1, Math.min(lines.lineAt(byte), lines.lineCount));
    const before = Buffer.from(text).subarray(lines.startOf(line), byte).toString("utf8");
    return { line, column: before.length + 1, message, text: lines.lineText(line) };
  });
}

async function script(path: string, text: string, lang: "jsx" | "ts" | "tsx" | "dts") {
  const { parseSync } = await import("oxc-parser");
  let first: { offset: number; message: string }[] | null = null;
  // Which of the two a `.js` or `.ts` file is, its package decides: it parses if it parses as one of them.
  for (const sourceType of sourceTypes(path)) {
    const faults = parseSync(path, text, { lang, sourceType }).errors.flatMap((error) => {
      const severity: string = error.severity;
      return severity === "Error" ? [{ offset: error.labels[0]?.start ?? 0, message: error.message }] : [];
    });
    if (faults.length === 0) return [];
    first ??= faults;
  }
  return first ?? [];
}

function sourceTypes(path: string): readonly ("module" | "commonjs")[] {
  if (/\.m[jt]s$/u.test(path)) return ["module"];
  return /\.c[jt]s$/u.test(path) ? ["commonjs"] : ["module", "commonjs"];
}

async function yaml(text: string) {
  const { parseAllDocuments } = await import("yaml");
  const documents = parseAllDocuments(text, { prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) =>
    document.errors.map((error) => ({ offset: error.pos[0], message: error.message })),
  );
}

function json(text: string) {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [jsonFault(text) ?? { offset: 0, message: error.message }];
  }
}

/** JSON files that their readers take with comments and trailing commas. */
const takesComments = (path: string): boolean =>
  /(?:^|\/)(?:[jt]sconfig[^/]*|\.oxlintrc|\.oxfmtrc|\.eslintrc|\.swcrc|devcontainer)\.json$|(?:^|\/)\.vscode\/[^/]+\.json$/u.test(
    path,
  );

const blank = (part: string): string => part.replaceAll(/[^\r\n]/gu, " ");

/** The same text with comments and trailing commas blanked, so that positions stay. */
export function withoutComments(text: string): string {
  const plain = text.replaceAll(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\//gu, (token) =>
    token.startsWith('"') ? token : blank(token),
  );
  return plain.replaceAll(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/gu, (token) => (token === "," ? " " : token));
}
