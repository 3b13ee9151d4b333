import { spawn } from "node:child_process";

/** Where a `patchctl` that stands alone reports: `ORCHESTRATOR_URL` and `ORCHESTRATOR_TOKEN`. */
export interface ReportTarget {
  url: string;
  token: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function reportTarget(env: Environment): ReportTarget | null {
  const { ORCHESTRATOR_URL: url, ORCHESTRATOR_TOKEN: token } = env;
  return url !== undefined && url !== "" && token !== undefined && token !== "" ? { url, token } : null;
}

/** A factory's own socket, told of each event beside the orchestrator: `FACTORY_WS_URL`. */
export const notifyTarget = ({ FACTORY_WS_URL: url }: Environment): string | null =>
  url === undefined || url === "" ? null : url;

/** Roots whose reporter, started by this process, still runs; true where more was applied since. */
const reporting = new Map<string, boolean>();

/**
 * Starts `patchctl flush --background` on its own, so that no edit waits for the network or fails with it. Of a process
 * that edits often, one runs at a time, and once more at the end.
 */
export function reportInBackground(root: string): void {
  if (!reportTarget(process.env) && notifyTarget(process.env) === null) return;
  if (reporting.has(root)) {
    reporting.set(root, true);
    return;
  }
  reporting.set(root, false);
  const child = start(root);
  const ended = () => {
    process.off("exit", atExit);
    const again = reporting.get(root) === true;
    reporting.delete(root);
    if (again) reportInBackground(root);
  };
  const atExit = () => {
    if (reporting.get(root) === true) start(root);
  };
  process.once("exit", atExit);
  child.once("exit", ended);
  // The edit is done and in the log; the next edit or flush reports it.
  child.once("error", ended);
}

function start(root: string) {
  // The program that runs, be it of the sources or of the build.
  const [, program = ""] = process.argv;
  const flush = ["flush", "--background", "--root", root];
  const child = spawn(process.execPath, [program, ...flush], { detached: true, stdio: "ignore" });
  child.unref();
  return child;
}
