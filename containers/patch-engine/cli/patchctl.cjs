#!/usr/bin/env node
// `patchctl` as it is started: the build that `npm run setup` makes (see build.ts), unless a source has changed since,
// else the sources. Plain JavaScript, and not a module, as Node starts nothing faster.
"use strict";
const { readFileSync, statSync } = require("node:fs");

const root = `${__dirname}/../../..`;
const build = `${__dirname}/../dist/patchctl`;

/** Whether the build is of the sources as they stand. Where there are none, as in an image, it is all there is. */
function isFresh() {
  let inputs;
  try {
    inputs = JSON.parse(readFileSync(`${build}/inputs.json`, "utf8"));
  } catch {
    return false;
  }
  return inputs.every(([path, mtimeMs, size]) => {
    const stat = statSync(`${root}/${path}`, { throwIfNoEntry: false });
    return stat === undefined || (stat.mtimeMs === mtimeMs && stat.size === size);
  });
}

const argv = process.argv.slice(2);
if (isFresh()) void require(`${build}/launch.cjs`).launch(argv);
else void import("./launch.ts").then(({ launch }) => launch(argv));
