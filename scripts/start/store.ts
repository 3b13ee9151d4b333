import {
  closeSync,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { persistDirectory, StoreError } from "../migrations.ts";

const SQLITE_HEADER = "SQLite format 3\0";

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);

/**
 * Makes a data directory ready: its folders exist and can be written, no file in it that should be a database is
 * something else, and no other run is using it (one runtime a store: two would each cache what the other changes).
 * Answers with what lets go of it. Throws a StoreError.
 */
export function claimStore(data: string): () => void {
  try {
    for (const folder of ["logs", "workspaces", "state"]) mkdirSync(path.join(data, folder), { recursive: true });
  } catch (error) {
    throw new StoreError(`${data} cannot be written (${codeOf(error)})`);
  }
  const release = claim(path.join(data, "running.pid"), data);
  try {
    for (const name of globSync("v3/**/*.sqlite", { cwd: persistDirectory(data) })) {
      const header = firstBytes(path.join(persistDirectory(data), name));
      if (header !== "" && header !== SQLITE_HEADER)
        throw new StoreError(`${path.join(path.basename(data), "state", name)} is not a database`);
    }
  } catch (error) {
    release();
    throw error instanceof StoreError ? error : new StoreError(`${data} cannot be read (${codeOf(error)})`);
  }
  return release;
}

function firstBytes(file: string): string {
  const descriptor = openSync(file, "r");
  try {
    const header = Buffer.alloc(SQLITE_HEADER.length);
    return header.toString("latin1", 0, readSync(descriptor, header, 0, header.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function claim(file: string, data: string): () => void {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      const release = (): void => rmSync(file, { force: true });
      process.once("exit", release);
      return release;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw new StoreError(`${data} cannot be written (${codeOf(error)})`);
    }
    const holder = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    if (holder > 0 && isRunning(holder)) {
      throw new StoreError(
        `${data} is in use by process ${holder}; end it, or choose another directory with --data DIR`,
      );
    }
    rmSync(file, { force: true }); // its process died without letting go
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}
