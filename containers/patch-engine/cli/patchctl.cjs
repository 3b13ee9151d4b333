#!/usr/bin/env node
// `patchctl` as it is started: the build that `npm run setup` makes (see build.ts), unless a source has changed since,
// else the sources. Plain JavaScript, and not a module, as Node starts nothing faster.
"use strict";
const { readFileSync, statSync } = require("node:fs");

const build = `${__dirname}/../dist/patchctl`;
let inputs = null;
try {
  inputs = JSON.parse(readFileSync(`${build}/inputs.json`, "utf8"));
} catch {
  // There is no build.
}

/** Whether a part of the build is of its sources as they stand. Where there are none, as in an image, it is all there is. */
function isFresh(part) {
  if (inputs === null) return false;
  const root = `${__dirname}/../../..`;
  return inputs[part].every(([path, mtimeMs, size]) => {
    const stat = statSync(`${root}/${path}`, { throwIfNoEntry: false });
    return stat === undefined || (stat.mtimeMs === mtimeMs && stat.size === size);
  });
}

/** All of the engine. Its sources are looked at only here: where a host does the work, that is most of the way. */
async function load() {
  if (!isFresh("run")) return import("./run.ts");
  // Most of a short command's time is loading code, which the build has compiled for the Node it was made with.
  const compiled = require(`${build}/compiled.cjs`).load(`${build}/run.cjs`, `${build}/run.cache`);
  if (compiled !== null) return compiled;
  require("node:module").enableCompileCache();
  return require(`${build}/run.cjs`);
}

const argv = process.argv.slice(2);
if (isFresh("launch")) void require(`${build}/launch.cjs`).launch(argv, load);
else void import("./launch.ts").then(({ launch }) => launch(argv, load));
