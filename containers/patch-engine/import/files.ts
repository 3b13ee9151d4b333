import { closes, fenceOf, pathOf, Refused, type Draft } from "./draft.ts";

/**
 * Whole files: as JSON (an object of path and content, a list of `{path, content}`, either also under `files`), or as
 * fenced blocks with the path in the line above, in the info string, or in a comment in the first line.
 */
export function readFiles(text: string, lines: readonly string[]): Draft[] {
  const first = text.trimStart()[0];
  if (first === "{" || first === "[") return readJson(text);
  const drafts: Draft[] = [];
  for (let at = 0; at < lines.length; at++) {
    const fence = fenceOf(lines[at] ?? "");
    if (!fence) continue;
    const file = namedBy(fence.info) ?? namedAbove(lines, at);
    const isMarkdown = /^(?:md|markdown)\b/i.test(fence.info);
    const start = at + 1;
    let end = start;
    // Markdown within Markdown: a fence with an info string opens another, and the first bare one closes that.
    for (let inner = 0; end < lines.length; end++) {
      const line = lines[end] ?? "";
      if (closes(line, fence.mark)) {
        if (inner === 0) break;
        inner--;
      } else if (isMarkdown && opensWithin(line, fence.mark)) inner++;
    }
    if (end >= lines.length)
      throw new Refused(lines.length, `the text ends within the block of line ${start}: expected \`${fence.mark}\``);
    let body = lines.slice(start, end);
    let named = file;
    if (named === null && body[0] !== undefined) {
      named = /^\s*(?:\/\/|#|--|<!--|\/\*)/.test(body[0].slice(0, 200)) ? pathOf(body[0]) : null;
      if (named !== null) body = body.slice(1);
    }
    if (named === null) throw new Refused(start, "expected the file's path above this block or in its first line");
    drafts.push({ kind: "whole", file: named, line: start, content: body.length === 0 ? "" : `${body.join("\n")}\n` });
    at = end;
  }
  if (drafts.length === 0) throw new Refused(1, "expected a fenced block with a file's path above it, or JSON");
  return drafts;
}

function opensWithin(line: string, mark: string): boolean {
  const fence = fenceOf(line);
  return fence !== null && fence.info !== "" && fence.mark.startsWith(mark);
}

function namedBy(info: string): string | null {
  const [, named] = /(?:^|[\s:])(?:(?:file(?:name|path)?|title|path)=)?["']?([^\s"':=]+)["']?\}?$/.exec(info) ?? [];
  return named === undefined || !/[./]/.test(named) ? null : pathOf(named);
}

function namedAbove(lines: readonly string[], at: number): string | null {
  for (let above = at - 1; above >= 0 && above >= at - 3; above--) {
    const line = lines[above] ?? "";
    if (line.trim() === "") continue;
    if (fenceOf(line)) return null;
    const quoted = [...line.slice(0, 1000).matchAll(/`([^`\s]+)`/g)].flatMap((match) => pathOf(match[1] ?? "") ?? []);
    return pathOf(line) ?? (quoted.length === 1 ? (quoted[0] ?? null) : null);
  }
  return null;
}

function readJson(text: string): Draft[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refused(
      lineOfJsonFault(text, error),
      `expected JSON: ${error instanceof Error ? error.message : "invalid"}`,
    );
  }
  const listed = typeof value === "object" && value !== null && "files" in value ? value.files : value;
  const drafts: Draft[] = [];
  const add = (file: unknown, content: unknown) => {
    if (typeof file !== "string" || typeof content !== "string") {
      throw new Refused(1, "expected a path and a content, both as text, for each file");
    }
    drafts.push({ kind: "whole", file: file.replace(/^\.\//, ""), line: 1, content });
  };
  if (Array.isArray(listed)) {
    for (const one of listed as unknown[]) {
      const entry = new Map(typeof one === "object" && one !== null ? Object.entries(one) : []);
      add(
        entry.get("path") ??
          entry.get("filePath") ??
          entry.get("file_path") ??
          entry.get("file") ??
          entry.get("filename") ??
          entry.get("name"),
        entry.get("content") ?? entry.get("contents") ?? entry.get("fileContents") ?? entry.get("text"),
      );
    }
  } else if (typeof listed === "object" && listed !== null) {
    const record = new Map<string, unknown>(Object.entries(listed));
    if (record.has("content") && (record.has("path") || record.has("file_path"))) {
      add(record.get("path") ?? record.get("file_path"), record.get("content"));
    } else for (const [file, content] of record) add(file, content);
  }
  if (drafts.length === 0) throw new Refused(1, "expected at least one file");
  return drafts;
}

/** The line at which JSON.parse stopped, as far as its message tells. */
export function lineOfJsonFault(text: string, error: unknown): number {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
  const end = position === undefined ? text.length : Number(position);
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
