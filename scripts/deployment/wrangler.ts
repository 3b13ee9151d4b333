import { spawn } from "node:child_process";
import path from "node:path";
import { ROOT } from "../repository.ts";

export interface Ran {
  code: number;
  /** What it said on both streams, in order. */
  said: string;
  stdout: string;
}
export type RunWrangler = (args: readonly string[]) => Promise<Ran>;

/** Runs wrangler to its end. It asks nothing, reports nothing, and reads the account from its usual variables. */
export const runWrangler: RunWrangler = (args) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(ROOT, "node_modules/wrangler/bin/wrangler.js"), ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        CI: "true",
        NO_COLOR: "1",
        WRANGLER_HIDE_BANNER: "true",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_SEND_ERROR_REPORTS: "false",
      },
    });
    let said = "";
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      said += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, said, stdout }));
  });

/** Why wrangler failed, in its own words and one line. */
export const reasonOf = ({ said, code }: Ran): string => {
  const lines = said.split("\n").map((line) => line.replace(/^\s*(?:✘|X)?\s*(?:\[ERROR\])?\s*/, "").trim());
  return lines.find((line) => /error|fail|not |could|unknown|required/i.test(line)) ?? `exit ${code}`;
};

/** Whether it said that what was asked about is not there, as opposed to that it could not be asked. */
export const isAbsent = ({ said }: Ran): boolean =>
  /\b(?:10007|10090|10006)\b|does(?: not|n't) exist|not found|no such/i.test(said);
