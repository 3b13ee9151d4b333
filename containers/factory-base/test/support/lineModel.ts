import type { PatchOperationInput } from "@shared/contracts";

/**
 * What a batch does, told a second time and as simply as can be: a file is an array of lines and whether the last one
 * ends in a newline. Knows LF files only; shares no code and no idea with the engine but the contract.
 */
export interface ModelFile {
  lines: string[];
  endsInNewline: boolean;
}

export type Model = Map<string, ModelFile>;

export function parseFile(text: string): ModelFile {
  if (text === "") return { lines: [], endsInNewline: true };
  const endsInNewline = text.endsWith("\n");
  return { lines: (endsInNewline ? text.slice(0, -1) : text).split("\n"), endsInNewline };
}

export const printFile = (file: ModelFile): string =>
  file.lines.length === 0 ? "" : file.lines.join("\n") + (file.endsInNewline ? "\n" : "");

const blockLines = (block = ""): string[] => (block === "" ? [] : block.replace(/\n$/, "").split("\n"));

/** Lines `start`…`end` (1-based; `end` = `start` - 1: none) become `lines`. */
interface Change {
  start: number;
  end: number;
  lines: string[];
}

function changeOf(patch: PatchOperationInput, { lines }: ModelFile): Change | null {
  const insertion = (line: number, block: string | undefined): Change => ({
    start: line,
    end: line - 1,
    lines: blockLines(block),
  });
  switch (patch.op) {
    case "replace-block":
      return { start: patch.start, end: patch.end, lines: blockLines(patch.block) };
    case "insert-before":
      return insertion(patch.line, patch.block);
    case "insert-after":
      return insertion(patch.line + 1, patch.block);
    case "prepend":
      return insertion(1, patch.block);
    case "append":
      return insertion(lines.length + 1, patch.block);
    case "search-replace": {
      const at = lines.findIndex((line) => line.includes(patch.search));
      const [before, after] = lines[at]!.split(patch.search);
      return { start: at + 1, end: at + 1, lines: [`${before}${patch.replace}${after}`] };
    }
    case "replace-marker": {
      const start = lines.findIndex((line) => line.includes(`###FINAL_MILE_PROMPT__${patch.marker}###`));
      const end = lines.findIndex((line) => line.includes(`###END_${patch.marker}###`));
      return { start: start + 1, end: end + 1, lines: blockLines(patch.block) };
    }
    case "create-file":
    case "delete-file":
    case "rename-file":
    case "apply-diff":
      return null;
  }
}

/** Applies patches whose coordinates all speak of the state before them. */
export function applyOriginal(model: Model, patches: readonly PatchOperationInput[]): void {
  for (const path of new Set(patches.map((patch) => patch.file ?? ""))) {
    const ofFile = patches.filter((patch) => patch.file === path);
    const file = model.get(path);
    if (!file) {
      const [creation] = ofFile;
      if (!creation || !("block" in creation)) throw new Error(`the model has no ${path}`);
      model.set(path, parseFile(creation.block ?? ""));
      continue;
    }
    const changes = ofFile.map((patch) => changeOf(patch, file)).filter((change) => change !== null);
    const lines: string[] = [];
    for (let line = 1; line <= file.lines.length + 1; line++) {
      for (const change of changes) if (change.start === line && change.end < line) lines.push(...change.lines);
      const replaced = changes.find((change) => change.start <= line && line <= change.end);
      if (replaced?.start === line) lines.push(...replaced.lines);
      if (!replaced && line <= file.lines.length) lines.push(file.lines[line - 1]!);
    }
    // Read again as it is written: an empty last line without a newline is no line.
    model.set(path, parseFile(printFile({ ...file, lines })));
    for (const patch of ofFile) {
      if (patch.op === "delete-file") model.delete(path);
      if (patch.op === "rename-file") {
        model.set(patch.to, model.get(path)!);
        model.delete(path);
      }
    }
  }
}
