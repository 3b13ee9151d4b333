import { config } from "zod";
import { main } from "./main.ts";
import { reportInBackground } from "./reportInBackground.ts";
import { processTerminal } from "./terminal.ts";

/** Runs a command line in this process; the exit code. */
export function run(argv: readonly string[], stdin: string | undefined, batchId: string | undefined): Promise<number> {
  // To compile a schema takes longer than to run it once; what serves many runs it often.
  const [verb = ""] = argv;
  config({ jitless: verb !== "serve" && verb !== "mcp" });
  return main(argv, processTerminal(reportInBackground, stdin, batchId));
}
