import { lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  fail,
  PolicyFileSchema,
  TasksFileSchema,
  type PolicyFile,
  type Result,
  type TasksFile,
} from "@shared/contracts";
import { replaceFile } from "../transaction/files.ts";
import { ioError, isMissing, isThere } from "./systemError.ts";
import { MISSION_CONTROL } from "./WorkspaceLock.ts";

/** What the engine writes here is no part of the repository; the policy may be. */
const IGNORE = "*\n!.gitignore\n!policy.json\n";

/** Makes something that another process may make at the same moment: there is no lock yet to make it under. */
function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!isThere(error)) throw error;
  }
}

/** Makes a workspace's `.mission_control/` where there is none; answers with its system path. */
export function openMissionControl(root: string): Result<{ directory: string }> {
  const directory = join(root, MISSION_CONTROL);
  try {
    // One after the other, so that nothing is made behind a symlink.
    for (const path of [directory, join(directory, "patches")]) {
      unlessThere(() => mkdirSync(path));
      if (!lstatSync(path).isDirectory()) return fail("PATH_FORBIDDEN", `${MISSION_CONTROL} must be a directory`);
    }
    unlessThere(() => writeFileSync(join(directory, ".gitignore"), IGNORE, { flag: "wx", mode: 0o644 }));
  } catch (error) {
    return ioError(error, `cannot make ${MISSION_CONTROL}`);
  }
  return { ok: true, directory };
}

/** The policy a workspace carries; gates at their defaults where it carries none. */
export function readPolicy(directory: string): Result<{ policy: PolicyFile }> {
  const read = readJson(directory, "policy.json");
  if (!read.ok) return read;
  const parsed = PolicyFileSchema.safeParse(read.value ?? {});
  if (!parsed.success) return fail("VALIDATION_FAILED", `${MISSION_CONTROL}/policy.json is not a policy`);
  return { ok: true, policy: parsed.data };
}

/** The tasks the orchestrator wrote; null where it wrote none. */
export function readTasks(directory: string): Result<{ tasks: TasksFile | null }> {
  const read = readJson(directory, "tasks.json");
  if (!read.ok) return read;
  if (read.value === undefined) return { ok: true, tasks: null };
  const parsed = TasksFileSchema.safeParse(read.value);
  if (!parsed.success) return fail("VALIDATION_FAILED", `${MISSION_CONTROL}/tasks.json is not a list of tasks`);
  return { ok: true, tasks: parsed.data };
}

export const writeTasks = (directory: string, file: TasksFile): Promise<void> =>
  replaceFile(directory, "tasks.json", `${JSON.stringify(TasksFileSchema.parse(file), null, 2)}\n`);

function readJson(directory: string, name: string): Result<{ value: unknown }> {
  const path = join(directory, name);
  try {
    // Mostly there is none, and a look is cheaper than an error.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return { ok: true, value: undefined };
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return { ok: true, value };
  } catch (error) {
    if (isMissing(error)) return { ok: true, value: undefined };
    if (error instanceof SyntaxError) return fail("VALIDATION_FAILED", `${MISSION_CONTROL}/${name} is not JSON`);
    return ioError(error, `cannot read ${MISSION_CONTROL}/${name}`);
  }
}
