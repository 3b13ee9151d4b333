#!/usr/bin/env node
import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * What the image starts: the host, with what is the same in every container. `VIBEHQ_TEMPLATES` is the directory whose
 * folders are the templates it ships; `ENGINE_TEMPLATES`, where it is set, says which of them and wins.
 */
const { VIBEHQ_TEMPLATES: directory, ENGINE_TEMPLATES: chosen } = process.env;
if (directory !== undefined && directory !== "" && (chosen === undefined || chosen === "")) {
  process.env.ENGINE_TEMPLATES = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${name}=${join(directory, name)}`)
    .join(",");
}
await import("./host.ts");
