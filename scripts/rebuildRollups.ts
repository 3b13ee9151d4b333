import path from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { readDevVars } from "./devVars.ts";
import { ROOT } from "./repository.ts";

/**
 * `npm run rollups:rebuild -- --url http://127.0.0.1:8787`: makes the statistics of a running orchestrator anew from
 * the events on record. Readers and deliveries go on meanwhile.
 */
const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== "--"),
  options: { url: { type: "string", default: "http://127.0.0.1:8787" }, token: { type: "string" } },
});
const token = values.token ?? readDevVars(path.join(ROOT, "orchestrator/.dev.vars")).BOOTSTRAP_TOKEN ?? "";

const AnswerSchema = z.object({ days: z.number(), events: z.number() });
try {
  const response = await fetch(new URL("/api/analytics/rebuild", values.url), {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  const answer = AnswerSchema.safeParse(await response.json());
  if (response.ok && answer.success) {
    console.log(`Rebuilt the rollups of ${answer.data.days} days from ${answer.data.events} events.`);
  } else {
    console.error(`The orchestrator refused (HTTP ${response.status}).`);
    process.exitCode = 1;
  }
} catch {
  // Whatever keeps the answer away, what to do about it is the same.
  console.error(`${values.url} does not answer. Is npm start running? --url says where.`);
  process.exitCode = 1;
}
