import type { ScriptStep } from "../modelControl.ts";

/** A tool as the client's request declares it. */
export interface DeclaredTool {
  name: string;
  /** `custom` tools take text, `function` tools JSON. */
  kind: "function" | "custom";
}

export interface ToolCall {
  id: string;
  name: string;
  kind: "function" | "custom";
  /** Of a function its arguments, of a custom tool `{input}`. */
  input: Record<string, unknown>;
}

type ToolStep = Extract<ScriptStep, { kind: "write" | "replace" | "shell" }>;

export const isToolStep = (step: ScriptStep): step is ToolStep =>
  step.kind === "write" || step.kind === "replace" || step.kind === "shell";

/**
 * The calls that carry out a step with the tools the client offers; null where it offers none that can. Each client has
 * names and arguments of its own: codex `apply_patch` and a shell, claude `Edit` and `Write`, gemini `replace` and
 * `write_file`, copilot `edit` and `create`.
 */
export function toolCallsOf(
  step: ToolStep,
  tools: readonly DeclaredTool[],
  directory: string | null,
  mint: () => string,
): ToolCall[] | null {
  const named = new Map(tools.map((tool) => [tool.name, tool]));
  const call = (name: string, input: Record<string, unknown>): ToolCall => ({
    id: mint(),
    name,
    kind: named.get(name)?.kind ?? "function",
    input,
  });
  if (step.kind === "shell") return shellCalls(step.command, named, call);

  // Claude and Copilot want absolute paths.
  const absolute = directory === null ? step.file : `${directory.replace(/\/$/, "")}/${step.file}`;
  if (step.kind === "write") {
    // A file that exists is only overwritten once it was read.
    if (named.has("Write")) {
      return [
        ...(named.has("Read") ? [call("Read", { file_path: absolute })] : []),
        call("Write", { file_path: absolute, content: step.content }),
      ];
    }
    if (named.has("write_file")) return [call("write_file", { file_path: step.file, content: step.content })];
    if (named.has("create")) return [call("create", { path: absolute, file_text: step.content })];
  } else {
    if (named.has("Edit")) {
      return [
        ...(named.has("Read") ? [call("Read", { file_path: absolute })] : []),
        call("Edit", { file_path: absolute, old_string: step.find, new_string: step.replace }),
      ];
    }
    if (named.has("replace")) {
      return [
        call("replace", {
          file_path: step.file,
          instruction: "Replace the text.",
          old_string: step.find,
          new_string: step.replace,
        }),
      ];
    }
    if (named.has("edit")) return [call("edit", { path: absolute, old_str: step.find, new_str: step.replace })];
    if (named.has("str_replace_editor")) {
      return [
        call("str_replace_editor", {
          command: "str_replace",
          path: absolute,
          old_str: step.find,
          new_str: step.replace,
        }),
      ];
    }
  }
  const patch = applyPatchText(step);
  const applyPatch = named.get("apply_patch");
  if (applyPatch) return [call("apply_patch", { input: patch })];
  return shellCalls(shellEdit(step), named, call);
}

function shellCalls(
  command: string,
  named: ReadonlyMap<string, DeclaredTool>,
  call: (name: string, input: Record<string, unknown>) => ToolCall,
): ToolCall[] | null {
  if (named.has("exec_command")) return [call("exec_command", { cmd: command })];
  if (named.has("shell_command")) return [call("shell_command", { command })];
  if (named.has("shell")) return [call("shell", { command: ["bash", "-c", command] })];
  if (named.has("run_shell_command")) return [call("run_shell_command", { command, description: "Run a command." })];
  for (const name of ["Bash", "bash"]) {
    if (named.has(name)) return [call(name, { command, description: "Run a command." })];
  }
  return null;
}

const signed = (text: string, sign: string): string[] =>
  text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `${sign}${line}`);

/** The edit in codex' own format. */
function applyPatchText(step: Extract<ToolStep, { kind: "write" | "replace" }>): string {
  const body =
    step.kind === "write"
      ? [`*** Add File: ${step.file}`, ...signed(step.content, "+")]
      : [`*** Update File: ${step.file}`, "@@", ...signed(step.find, "-"), ...signed(step.replace, "+")];
  return ["*** Begin Patch", ...body, "*** End Patch", ""].join("\n");
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function shellEdit(step: Extract<ToolStep, { kind: "write" | "replace" }>): string {
  if (step.kind === "write") return `printf %s ${quoted(step.content)} > ${quoted(step.file)}`;
  const program =
    "const fs=require('node:fs');const [file,find,replace]=process.argv.slice(1);" +
    "fs.writeFileSync(file,fs.readFileSync(file,'utf8').replace(find,()=>replace))";
  return `node -e ${quoted(program)} ${quoted(step.file)} ${quoted(step.find)} ${quoted(step.replace)}`;
}
