import { EXIT } from "../exit.ts";
import { print } from "../print.ts";
import { notifyTarget, reportTarget } from "../reportInBackground.ts";
import { commonArgs, UsageError, type Verb } from "../verb.ts";
import { rootOf, withEngine, workspaceIdOf } from "../workspace.ts";

export const flush: Verb = {
  summary: "Report to the orchestrator what it has not been told yet",
  args: {
    background: {
      type: "boolean",
      description: "Try again for some minutes where it cannot be reached; at once done where another one does that",
    },
    ...commonArgs,
  },
  async run(args) {
    const { env } = args.terminal;
    const target = reportTarget(env);
    const factory = notifyTarget(env);
    if (!target && factory === null) {
      throw new UsageError(
        "ORCHESTRATOR_URL and ORCHESTRATOR_TOKEN, or FACTORY_WS_URL, say where to report; they are not set",
      );
    }
    const workspaceId = workspaceIdOf(rootOf(args), env);
    const { flushReports } = await import("../report.ts");
    const { flushNotifications } = await import("../notify.ts");
    const { persistently } = await import("../persistently.ts");
    return withEngine(args, async (engine, root) => {
      const flushes = [
        ...(target ? [() => flushReports(engine, root, workspaceId, target)] : []),
        ...(factory === null ? [] : [() => flushNotifications(engine, root, factory)]),
      ];
      if (args.flag("background")) {
        await Promise.all(flushes.map((flush, at) => persistently(engine, root, `reporter-${at}.lock`, flush)));
        return EXIT.done;
      }
      // What the factory is told is best effort; the orchestrator's answer is this command's.
      const flushed = await Promise.all(flushes.map((flush) => flush()));
      const [first] = flushed;
      if (!first) return EXIT.done;
      for (const { error } of flushed) if (error !== null) args.terminal.err(`${error}\n`);
      const value = { ok: first.error === null, ...first };
      print(args, value, `reported ${first.reported} entries, up to ${first.cursor}`);
      return first.error === null ? EXIT.done : EXIT.io;
    });
  },
};
