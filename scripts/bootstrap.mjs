// The way in for every npm script: `node scripts/bootstrap.mjs TASK [arguments]`.
//
// Runs on any Node ≥ 20 without a single dependency. It installs what the lockfile asks for (through npm, which comes
// with Node), then hands over to scripts/<task>.ts on the Node that was installed, with node_modules/.bin first in
// PATH, so that nothing else depends on what the machine has. All it says goes to stderr; stdout belongs to the task.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = realpathSync(path.resolve(path.dirname(fileURLToPath(import.meta.url)), ".."));
const MARKER = path.join(ROOT, "node_modules", ".vibehq-installed");
const LOCK = path.join(ROOT, ".install.lock");
const BIN = path.join(ROOT, "node_modules", ".bin");

/** A failure that has been said in one line; the process ends with 1 and no stack. */
class Refusal extends Error {}

const say = (line) => process.stderr.write(`${line}\n`);
const read = (file) => readFileSync(path.join(ROOT, file), "utf8");

/** A version as the catalog of pnpm-workspace.yaml pins it. */
function pinned(name) {
  const version = new RegExp(`^ {2}"?${name}"?: (\\d\\S*)$`, "m").exec(read("pnpm-workspace.yaml"))?.[1];
  if (!version) throw new Refusal(`pnpm-workspace.yaml pins no version of ${name} in its catalog.`);
  return version;
}

/** The folders of all packages, from the `packages:` globs of pnpm-workspace.yaml ("dir" or "dir/*"). */
function packageFolders() {
  const listed = /^packages:\n((?: +- .*\n)+)/m.exec(read("pnpm-workspace.yaml"))?.[1] ?? "";
  const globs = [...listed.matchAll(/- "?([^"\n]+)"?/g)].map((match) => match[1]);
  const folders = globs.flatMap((glob) => {
    if (!glob.endsWith("/*")) return [glob];
    const parent = glob.slice(0, -2);
    if (!existsSync(path.join(ROOT, parent))) return [];
    return readdirSync(path.join(ROOT, parent))
      .toSorted()
      .map((name) => `${parent}/${name}`);
  });
  return folders.filter((folder) => existsSync(path.join(ROOT, folder, "package.json")));
}

/** What an install depends on, as one hash: lockfile, workspace, every manifest, the machine. */
function fingerprint() {
  const hash = createHash("sha256");
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"];
  for (const file of [...files, ...packageFolders().map((folder) => `${folder}/package.json`)]) {
    hash.update(`${file}\0${read(file)}\0`);
  }
  return hash.update(`${process.platform} ${process.arch} ${ROOT}`).digest("hex");
}

function isInstalled() {
  if (!existsSync(MARKER) || readFileSync(MARKER, "utf8") !== fingerprint()) return false;
  if (!existsSync(path.join(BIN, "node"))) return false;
  return packageFolders().every((folder) => {
    const { dependencies, devDependencies } = JSON.parse(read(`${folder}/package.json`));
    return !(dependencies || devDependencies) || existsSync(path.join(ROOT, folder, "node_modules"));
  });
}

/** Runs a program to its end, keeping what it said. */
function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env: process.env });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
  });
}

/** Why an install failed, in one line, from what npm and pnpm said. */
function reasonOf(said) {
  const unreachable =
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|UND_ERR_CONNECT|dns error|error sending request|fetch failed|Connection refused/i.exec(
      said,
    )?.[0];
  if (unreachable)
    return `the package registry does not answer (${unreachable}). Check the network, then run this again.`;
  if (/ENOSPC/.test(said)) return "the disk is full (ENOSPC).";
  if (/OUTDATED_LOCKFILE/.test(said))
    return "pnpm-lock.yaml does not fit the package.json files. Run pnpm install and commit the lockfile.";
  const lines = said.split("\n").map((line) => line.trim());
  const telling = lines.filter((line) => /ERR|error|EACCES|EPERM/i.test(line) && !/complete log/i.test(line));
  return telling[0] ?? lines.filter(Boolean).at(-1) ?? "the installer said nothing.";
}

async function install() {
  const [node, pnpm] = [pinned("node"), pinned("pnpm")];
  say(`Installing dependencies (node ${node}, pnpm ${pnpm}); the first time takes about half a minute …`);
  const started = Date.now();
  const installing = fingerprint();
  // Few and quick retries: with no network at all the answer should come in seconds.
  const retries = ["--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=3000"];
  const pnpmRetries = ["fetchRetries=1", "fetchRetryMintimeout=500", "fetchRetryMaxtimeout=3000"].map(
    (setting) => `--config.${setting}`,
  );
  const packages = [`--package=node@${node}`, `--package=pnpm@${pnpm}`];
  const pnpmInstall = ["pnpm", "install", "--frozen-lockfile", ...pnpmRetries];
  const npmArguments = ["exec", "--yes", "--loglevel=error", ...retries, ...packages, "--", ...pnpmInstall];
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { code, said } = await run(npm, npmArguments).catch((error) => {
    throw new Refusal(`Cannot install: npm does not start (${error.code}). It comes with Node.js; put it in PATH.`);
  });
  if (code !== 0) throw new Refusal(`Cannot install: ${reasonOf(said)}`);
  writeFileSync(MARKER, installing);
  say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

const release = () => rmSync(LOCK, { force: true });

/** The process that holds the lock, as it wrote itself down; empty where nobody does, or not yet. */
function lockHolder() {
  try {
    return readFileSync(LOCK, "utf8");
  } catch (error) {
    // Given back since it was found to be held.
    if (error.code === "ENOENT") return "";
    throw error;
  }
}

/** Holds the install lock while `work` runs, so that two commands started at once install once. */
async function exclusively(work) {
  for (let waited = false; ;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST")
        throw new Refusal(`Cannot install: ${path.basename(ROOT)} is not writable (${error.code}).`);
    }
    const holder = lockHolder();
    if (holder !== "" && !isAlive(Number(holder))) {
      // Its process died. Renaming settles who removes it; a lock that another taker has just made is put back.
      const aside = `${LOCK}.${process.pid}`;
      try {
        renameSync(LOCK, aside);
        if (readFileSync(aside, "utf8") === holder) rmSync(aside);
        else renameSync(aside, LOCK);
      } catch (error) {
        if (error.code !== "ENOENT") throw error;
      }
      continue;
    }
    if (!waited) say("Another command is installing; waiting for it …");
    waited = true;
    await sleep(200);
  }
  process.on("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/** Removes every node_modules of the workspace and installs the lockfile anew. */
async function fixDependencies() {
  for (const folder of [".", ...packageFolders()]) {
    rmSync(path.join(ROOT, folder, "node_modules"), { recursive: true, force: true });
  }
  await install();
}

/** Hands over to the task's script on the installed Node; signals go through, its exit code comes back. */
function handOver(script, args) {
  const node = path.join(BIN, "node");
  // The scripts read SQLite files with Node's own reader, which still warns of itself.
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", script, ...args], {
    cwd: ROOT,
    stdio: "inherit",
    env: { INIT_CWD: process.cwd(), ...process.env, PATH: `${BIN}${path.delimiter}${process.env.PATH ?? ""}` },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // npm passes a signal only as far as the shell it started, so a terminated npm would leave all of this running.
  const parent = process.ppid;
  const ofNpm = process.env.npm_lifecycle_event !== undefined;
  const watch = setInterval(() => ofNpm && process.ppid !== parent && child.kill("SIGTERM"), 500);
  watch.unref();
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

async function main([task, ...args]) {
  if (Number(process.versions.node.split(".")[0]) < 20)
    throw new Refusal(`Node ${process.version} is too old: 20 or newer is needed.`);
  const script = path.join(
    ROOT,
    "scripts",
    `${String(task).replace(/-(\w)/g, (_, letter) => letter.toUpperCase())}.ts`,
  );
  if (task === "fix-deps") {
    await exclusively(fixDependencies);
    return 0;
  }
  if (!existsSync(script)) throw new Refusal(`There is no task ${task}. See the scripts in package.json.`);
  if (!isInstalled()) await exclusively(async () => (isInstalled() ? undefined : install()));
  return handOver(script, args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(error.message);
  process.exitCode = 1;
}
