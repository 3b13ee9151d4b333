import { readFileSync, writeFileSync } from "node:fs";
import { PatchBatchSchema } from "@shared/contracts";
import { planBatch, sha256 } from "../../core/index.ts";
import { HOSTILE } from "./hostileDiffs.ts";

/**
 * Plans one of the hostile diffs and prints what it took beyond what stood there before: the highest resident set
 * (VmHWM of /proc/self/status, from which the kernel counts anew at 5 in clear_refs), against the input's size.
 */
const [name = ""] = process.argv.slice(2);
const hostile = HOSTILE[name]?.();
if (!hostile) throw new Error(`no hostile diff is called ${name}`);
const bytes = Buffer.from(hostile.file);
const files = new Map([["a", { bytes, sha256: sha256(bytes), mode: "100644" } as const]]);
const batch = PatchBatchSchema.parse({ patches: [{ op: "apply-diff", diff: hostile.diff }] });
const input = bytes.length + Buffer.byteLength(hostile.diff);

const kilobytes = (field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
global.gc?.();
writeFileSync("/proc/self/clear_refs", "5");
const before = kilobytes("VmRSS");
const cpu = process.cpuUsage();
const planned = planBatch(batch, files, { mintPatchId: (index) => `p${index + 1}` });
const { user, system } = process.cpuUsage(cpu);
const peak = (kilobytes("VmHWM") - before) * 1024;
process.stdout.write(
  JSON.stringify({ input, peak, cpuMs: (user + system) / 1000, code: planned.ok ? "applied" : planned.error.code }),
);
