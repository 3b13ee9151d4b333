#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Most of a short command's time is loading code; the second run finds it compiled.
enableCompileCache();
const { main } = await import("./main.ts");
process.exitCode = await main(process.argv.slice(2));
