import { readFileSync } from "node:fs";
import { openEngine } from "../../index.ts";

/** Replaces one line of a file in a workspace; prints what came of it and the peak memory in KiB. */
const [root = "", file = ""] = process.argv.slice(2);
const opened = await openEngine({ root, workspaceId: "bench" });
if (!opened.ok) throw new Error(opened.error.message);
const answer = await opened.engine.apply({
  door: "patchctl",
  batch: { patches: [{ op: "replace-block", file, start: 1, end: 1, block: "changed" }] },
});
await opened.engine.close();
// Not getrusage's maximum: that begins with what the parent held when it forked (proc(5), VmHWM).
const peak = /^VmHWM:\s+([0-9]+) kB$/mu.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
process.stdout.write(JSON.stringify({ code: answer.error?.code ?? null, peak: Number(peak) }));
