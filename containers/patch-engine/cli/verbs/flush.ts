import { EXIT } from "../exit.ts";
import { print } from "../print.ts";
import { reportTarget } from "../reportInBackground.ts";
import { commonArgs, UsageError, type Verb } from "../verb.ts";
import { rootOf, withEngine, workspaceIdOf } from "../workspace.ts";

export const flush: Verb = {
  summary: "Report to the orchestrator what it has not been told yet",
  args: { ...commonArgs },
  async run(args) {
    const target = reportTarget();
    if (!target) throw new UsageError("ORCHESTRATOR_URL and ORCHESTRATOR_TOKEN say where to report; they are not set");
    const workspaceId = workspaceIdOf(rootOf(args));
    const { flushReports } = await import("../report.ts");
    return withEngine(args, async (engine, root) => {
      const flushed = await flushReports(engine, root, workspaceId, target);
      const value = { ok: flushed.error === null, ...flushed };
      print(args, value, `reported ${flushed.reported} entries, up to ${flushed.cursor}`);
      if (flushed.error === null) return EXIT.done;
      process.stderr.write(`${flushed.error}\n`);
      return EXIT.io;
    });
  },
};
