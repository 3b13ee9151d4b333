import { Cron } from "croner";
import { listWorkers } from "../repository.ts";

/**
 * Fires the triggers of the orchestrator's wrangler.jsonc when they are due, since `wrangler dev` never does: its door for
 * it is called at the orchestrator's own address. What one run says of failing is in the Worker's log; here it is only
 * told that a call got no answer. Answers with what stops it.
 */
export function startCron(options: {
  url: string;
  say: (line: string) => void;
  crons?: readonly string[];
  send?: (url: URL) => Promise<unknown>;
}): () => void {
  const { url, say, crons = orchestratorCrons(), send = (address) => fetch(address) } = options;
  const jobs = crons.map(
    (cron) =>
      // As the platform has it: UTC, and a run that takes longer than its period is not doubled.
      new Cron(cron, { timezone: "UTC", mode: "5-part", protect: true, unref: true }, async () => {
        const address = new URL("/cdn-cgi/local/scheduled", url);
        address.searchParams.set("cron", cron);
        try {
          await send(address);
        } catch (error) {
          say(`The schedule ${cron} was not run: ${error instanceof Error ? error.message : String(error)}.`);
        }
      }),
  );
  return () => {
    for (const job of jobs) job.stop();
  };
}

function orchestratorCrons(): readonly string[] {
  const [orchestrator] = listWorkers();
  return orchestrator?.config.triggers?.crons ?? [];
}
