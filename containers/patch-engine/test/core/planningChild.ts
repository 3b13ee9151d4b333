import { readFileSync, writeFileSync } from "node:fs";
import { PatchBatchSchema } from "@shared/contracts";
import { pathsOf, planBatch, sha256 } from "../../core/index.ts";
import { HOSTILE } from "./hostileDiffs.ts";

/**
 * Reads and plans one of the hostile diffs as a batch that came as JSON, and prints what that took beyond what stood
 * there before: the highest resident set (VmHWM of /proc/self/status, from which the kernel counts anew at 5 in
 * clear_refs), beside the size of that JSON and of the file.
 */
const [name = "", size = "0"] = process.argv.slice(2);
const hostile = HOSTILE[name]?.(Number(size));
if (!hostile) throw new Error(`no hostile diff is called ${name}`);
const bytes = Buffer.from(hostile.file);
const files = new Map([["a", { bytes, sha256: sha256(bytes), mode: "100644" } as const]]);
const sent = Buffer.from(JSON.stringify({ patches: [{ op: "apply-diff", diff: hostile.diff }] }));

const kilobytes = (field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
hostile.diff = hostile.file = "";
global.gc?.();
writeFileSync("/proc/self/clear_refs", "5");
const before = kilobytes("VmRSS");
const cpu = process.cpuUsage();
const batch = PatchBatchSchema.parse(JSON.parse(sent.toString()));
const isKnown = pathsOf(batch).length > 0;
const planned = planBatch(batch, files, { mintPatchId: (index) => `p${index + 1}` });
const { user, system } = process.cpuUsage(cpu);
const peak = (kilobytes("VmHWM") - before) * 1024;
const code = planned.ok ? "applied" : planned.error.code;
process.stdout.write(
  JSON.stringify({ input: sent.length + bytes.length, peak, cpuMs: (user + system) / 1000, code, isKnown }),
);
