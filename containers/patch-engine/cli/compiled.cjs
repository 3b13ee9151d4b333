// A module together with what V8 made of it, so that a start does not compile it again. Node's own compile cache keeps
// what the first run happened to use, and for whoever ran it; this is made once, with the build.
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const paths = require("node:path");
const { Script } = require("node:vm");

/** The bundle is ASCII, so its bytes need not be decoded. */
const scriptOf = (path, cachedData) =>
  new Script(`(function(exports,require,module,__filename,__dirname){${readFileSync(path, "latin1")}\n})`, {
    filename: path,
    cachedData,
  });

function evaluate(script, path) {
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(path), module, path, paths.dirname(path));
  return module.exports;
}

/** The module's exports; null where there is no code of it that this very Node, run so, would take. */
exports.load = (path, cache) => {
  let cachedData;
  try {
    cachedData = readFileSync(cache);
  } catch {
    return null;
  }
  const script = scriptOf(path, cachedData);
  return script.cachedDataRejected ? null : evaluate(script, path);
};

/** Writes the code of a module, with all that `use` made V8 compile of it. */
exports.store = async (path, cache, use) => {
  const script = scriptOf(path);
  await use(evaluate(script, path));
  writeFileSync(cache, script.createCachedData());
};
