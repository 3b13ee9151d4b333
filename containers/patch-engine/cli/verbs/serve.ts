import { EXIT } from "../exit.ts";
import { commonArgs, UsageError, type Verb } from "../verb.ts";
import { withEngine } from "../workspace.ts";

export const serve: Verb = {
  summary: "Apply batches as they come on standard input, one JSON object a line",
  args: {
    stdio: { type: "boolean", description: "Batches on standard input, an answer a line on standard output" },
    ...commonArgs,
  },
  async run(args) {
    if (!args.flag("stdio")) throw new UsageError("--stdio is the way it serves; over HTTP a host does");
    const { serveLines } = await import("../../serving/lines.ts");
    const { terminal } = args;
    return withEngine(args, async (engine, root) => {
      await serveLines(process.stdin, process.stdout, {
        engine,
        cwd: terminal.cwd,
        applied: () => terminal.report(root),
      });
      return EXIT.done;
    });
  },
};
