import { readApplyPatch } from "./applyPatch.ts";
import { Refused, textLines, type Draft } from "./draft.ts";
import { lineOfJsonFault } from "./files.ts";

type Record = ReadonlyMap<string, unknown>;

/**
 * Calls of edit tools as JSON, one, a list, or one a line: Anthropic's text editor (`command` of str_replace, create,
 * insert), its `Edit`, `MultiEdit` and `Write`, OpenAI's `apply_patch` as function call, custom tool call, shell command
 * or operation. `tool_use`, `tool_calls`, `function` and `message` around a call are looked through. Calls that only
 * read (`view`) are no edits.
 */
export function readEditTool(text: string): Draft[] {
  const drafts = valuesOf(text).flatMap(({ value, line }) => readCall(value, line));
  if (drafts.length === 0) throw new Refused(1, "expected a call of an edit tool that changes something");
  return drafts;
}

function valuesOf(text: string): { value: unknown; line: number }[] {
  try {
    return [{ value: JSON.parse(text), line: 1 }];
  } catch (error) {
    const lines = textLines(text);
    const isLines = lines.length > 1 && lines.every((line) => line.trim() === "" || /^\s*\{.*\}\s*$/s.test(line));
    if (!isLines)
      throw new Refused(
        lineOfJsonFault(text, error),
        `expected JSON: ${error instanceof Error ? error.message : "invalid"}`,
      );
  }
  return textLines(text).flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      return [{ value: JSON.parse(line) as unknown, line: i + 1 }];
    } catch (error) {
      throw new Refused(i + 1, `expected JSON: ${error instanceof Error ? error.message : "invalid"}`);
    }
  });
}

const recordOf = (value: unknown): Record | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : null;

function readCall(value: unknown, line: number): Draft[] {
  if (Array.isArray(value)) return value.flatMap((one) => readCall(one, line));
  const call = recordOf(value);
  if (!call) throw new Refused(line, "expected a tool call, which is a JSON object");
  for (const key of ["message", "tool_calls", "output", "choices"]) {
    const inner = call.get(key);
    if (typeof inner === "object" && inner !== null) return readCall(inner, line);
  }
  const content = call.get("content");
  if (Array.isArray(content))
    return content.flatMap((one) => (recordOf(one)?.get("type") === "tool_use" ? readCall(one, line) : []));
  for (const key of ["function", "input", "arguments", "parameters", "operation", "action"]) {
    const inner = call.get(key);
    if (inner === undefined) continue;
    if (typeof inner === "string" && inner.includes("*** Begin Patch") && !inner.trimStart().startsWith("{")) {
      return readApplyPatch(textLines(inner)).map((draft) => ({ ...draft, line }));
    }
    return readCall(typeof inner === "string" ? parsed(inner, line) : inner, line).map((draft) => ({
      ...draft,
      line: draft.line || line,
    }));
  }
  return readArguments(call, line);
}

function parsed(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refused(
      line,
      `expected JSON in the call's arguments: ${error instanceof Error ? error.message : "invalid"}`,
    );
  }
}

function readArguments(call: Record, line: number): Draft[] {
  const text = (...names: string[]): string => {
    for (const name of names) {
      const value = call.get(name);
      if (typeof value === "string") return value;
    }
    throw new Refused(line, `expected ${names.map((name) => `\`${name}\``).join(" or ")} as text in the call`);
  };
  const path = () => text("path", "file_path", "filePath", "target_file").replace(/^\.\//, "");
  const patch = ["input", "patch", "cmd", "command"]
    .map((name) => call.get(name))
    .flat()
    .find(isEnvelope);
  if (typeof patch === "string") return readApplyPatch(textLines(patch)).map((draft) => ({ ...draft, line }));
  const command = call.get("command");
  switch (command) {
    case "view":
      return [];
    case "create":
      return [{ kind: "create", file: path(), line, content: text("file_text") }];
    case "str_replace":
      return [replacement(path(), line, text("old_str"), call.has("new_str") ? text("new_str") : "")];
    case "insert": {
      const after = call.get("insert_line");
      if (typeof after !== "number" || !Number.isInteger(after) || after < 0) {
        throw new Refused(line, "expected `insert_line`, the number of the line to insert after (0: at the start)");
      }
      return [{ kind: "insert", file: path(), line, after, content: text("new_str", "insert_text") }];
    }
    case "undo_edit":
      throw new Refused(line, "undo_edit cannot be imported: revert the patch instead");
    default:
      break;
  }
  if (command !== undefined) throw new Refused(line, "expected a `command` of str_replace, create or insert");
  const type = call.get("type");
  if (type === "create_file" || type === "update_file" || type === "delete_file")
    return readOperation(type, path(), call, line);
  const edits = call.get("edits");
  if (Array.isArray(edits)) {
    return edits.map((edit) => {
      const own = recordOf(edit);
      const [old, now] = [own?.get("old_string") ?? own?.get("oldText"), own?.get("new_string") ?? own?.get("newText")];
      if (typeof old !== "string" || typeof now !== "string")
        throw new Refused(line, "expected `old_string` and `new_string` in each edit");
      return replacement(path(), line, old, now);
    });
  }
  if (call.has("old_string") || call.has("old_str")) {
    if (call.get("replace_all") === true)
      throw new Refused(line, "replace_all cannot be imported: use search-replace with its expected count");
    return [replacement(path(), line, text("old_string", "old_str"), text("new_string", "new_str"))];
  }
  if (call.has("content") || call.has("file_text"))
    return [{ kind: "whole", file: path(), line, content: text("content", "file_text") }];
  throw new Refused(line, "expected the arguments of str_replace, create, insert, Edit, Write or apply_patch");
}

/** OpenAI's `apply_patch` operations carry the body of an update or addition, without its envelope. */
function readOperation(type: string, file: string, call: Record, line: number): Draft[] {
  if (type === "delete_file") return [{ kind: "delete", file, line }];
  const diff = call.get("diff");
  if (typeof diff !== "string") throw new Refused(line, "expected `diff` as text in the call");
  const action = type === "create_file" ? "Add" : "Update";
  const envelope = ["*** Begin Patch", `*** ${action} File: ${file}`, ...textLines(diff), "*** End Patch"];
  return readApplyPatch(envelope).map((draft) => ({ ...draft, line }));
}

const isEnvelope = (value: unknown): boolean => typeof value === "string" && value.includes("*** Begin Patch");

function replacement(file: string, line: number, search: string, replace: string): Draft {
  if (search === "") return { kind: "whole", file, line, content: replace, isNew: true };
  return { kind: "substring", file, line, search, replace };
}
