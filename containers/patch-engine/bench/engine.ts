import { cpus, loadavg, totalmem } from "node:os";
import { measureDurable } from "./engine/durable.ts";
import { printRows } from "./engine/measure.ts";
import { measureMemory, printMemory } from "./engine/memory.ts";
import { measurePlanning } from "./engine/planning.ts";
import { measureStart } from "./engine/start.ts";
import { measureSyntax } from "./engine/syntax.ts";
import { measureTypes } from "./engine/types.ts";

/** `pnpm bench:engine`: each row is a ratio to a baseline of the same run; no number stands alone. */
const [cpu] = cpus();
const memory = Math.round(totalmem() / 1024 ** 3);
process.stdout.write(
  `${cpus().length} × ${cpu?.model ?? "unknown processor"}, ${memory} GiB, ${process.platform}, node ${process.version}, load average ${loadavg()[0]?.toFixed(1) ?? "unknown"}\n\n`,
);
const planning = await measurePlanning();
printRows("In process", planning.rows, planning.remarks);
printRows("Syntax gate", await measureSyntax());
printRows("Types gate", await measureTypes());
printRows("One durable batch through the host", await measureDurable());
const start = await measureStart();
printRows("patchctl", start.rows, start.remarks);
printMemory(measureMemory());
process.stdout.write(`Load average at the end: ${loadavg()[0]?.toFixed(1) ?? "unknown"}\n`);
