#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { launch } from "./launch.ts";

await launch(process.argv.slice(2), () => {
  enableCompileCache();
  return import("./run.ts");
});
