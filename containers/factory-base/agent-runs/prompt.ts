import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ENGINE_DIRECTORY } from "../sources/copyTree.ts";

/** The kernel takes 128 KiB in one argument (MAX_ARG_STRLEN), its end included. */
const MAX_ARGUMENT_BYTES = 120_000;
const FILE = `${ENGINE_DIRECTORY}/prompt.md`;

/**
 * The prompt as an argument. One too long for that stands in a file of the worktree that is in no diff. None begins
 * with what a CLI would take for an option or a command of its own.
 */
export async function writePrompt(tree: string, prompt: string): Promise<string> {
  if (Buffer.byteLength(prompt) > MAX_ARGUMENT_BYTES) {
    await writeFile(join(tree, FILE), prompt);
    return `Your task is described in the file ${FILE}. Read all of it first, then carry it out.`;
  }
  return /^\s*[-/@!#]/u.test(prompt) ? `Task:\n${prompt}` : prompt;
}
