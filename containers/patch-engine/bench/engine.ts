import { printRows } from "./engine/measure.ts";
import { measureDurable } from "./engine/durable.ts";
import { measurePlanning } from "./engine/planning.ts";
import { measureSyntax } from "./engine/syntax.ts";

/** `pnpm bench:engine`: each row is a ratio to a baseline of the same run; no number stands alone. */
printRows("In process", await measurePlanning());
printRows("Syntax gate", await measureSyntax());
printRows("One durable batch through the host", await measureDurable());
