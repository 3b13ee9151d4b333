import { findTool, tools } from "./tools.ts";

/** The names of the tools, for an answer that lists them. */
function listNames(): string {
  if (tools.length === 0) return "none";
  const names = tools.map((tool) => `/${tool.name}`);
  return names.join(", ");
}

/** Answers a line: `/tool input` runs the tool; any other text is told which tools there are. */
export function respond(text: string): string {
  const [, name, input = ""] = /^\/([a-z-]+)(?:\s+([^]*))?$/.exec(text.trim()) ?? [];
  if (name === undefined) return `I can do: ${listNames()}`;
  const tool = findTool(name);
  return tool ? tool.run(input) : `I have no tool called ${name}`;
}

/** One line a tool, for people. */
export function describeTools(): string {
  if (tools.length === 0) return "none";
  return tools.map((tool) => `/${tool.name}: ${tool.description}`).join("\n");
}

// ###FINAL_MILE_PROMPT__FORMATTING###
// How answers are formatted beyond plain text.
// ###END_FORMATTING###
