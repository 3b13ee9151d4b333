import { echo } from "./echo.ts";

/** Something the agent can do with a line of text. */
export interface Tool {
  name: string;
  description: string;
  run: (input: string) => string;
}

export const tools: readonly Tool[] = [
  { name: "echo", description: "Says what it was told", run: echo },
  // ###FINAL_MILE_PROMPT__TOOLS###
  // The tools of this agent: objects of type Tool.
  // ###END_TOOLS###
];

export function findTool(name: string): Tool | undefined {
  return tools.find((tool) => tool.name === name);
}
