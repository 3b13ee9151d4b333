import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { oneLine } from "./classify.ts";

const run = promisify(execFile);
const VERSION_MS = 30_000;

/** A program by name, in the directories of PATH; null where there is none that may be run. */
export function findProgram(name: string, path: string): string | null {
  for (const directory of path.split(delimiter)) {
    if (directory === "") continue;
    const candidate = join(directory, name);
    if (isProgram(candidate)) return candidate;
  }
  return null;
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** `patchctl` as it stands beside this host: in the repository, or in the image. Null where it was left out. */
export function findPatchctl(): string | null {
  const here = import.meta.dirname;
  const places = [
    resolve(here, "../../patch-engine/cli/patchctl.cjs"),
    resolve(here, "patchctl/cli/patchctl.cjs"),
    resolve(here, "../patchctl/cli/patchctl.cjs"),
  ];
  return places.find((place) => existsSync(place)) ?? null;
}

/** What programs say of their version, asked once for each as it stands on disk. */
export class Versions {
  readonly #known = new Map<string, Promise<string | null>>();

  /** The first line that `program --version` prints; null where it says none. */
  of(program: string, environment: Record<string, string>): Promise<string | null> {
    const real = realpathSync(program);
    const { mtimeMs, size } = statSync(real);
    const key = `${real}:${mtimeMs}:${size}`;
    const known = this.#known.get(key) ?? ask(program, environment);
    this.#known.set(key, known);
    return known;
  }
}

async function ask(program: string, environment: Record<string, string>): Promise<string | null> {
  try {
    const { stdout } = await run(program, ["--version"], {
      timeout: VERSION_MS,
      killSignal: "SIGKILL",
      maxBuffer: 65_536,
      env: environment,
      cwd: environment.HOME ?? dirname(program),
    });
    const line = oneLine(stdout).slice(0, 100);
    return line === "" ? null : line;
  } catch {
    // That it does not know the option is no reason not to run it.
    return null;
  }
}
