import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ErrorContext, GateLevel } from "@shared/contracts";
import { effectsOf, sha256, type FileEffect, type Plan } from "../core/index.ts";
import { contextAround, patchAt, type Gate, type GateInput, type Objection } from "./gate.ts";
import { parseErrors } from "./parse.ts";
import { compile, compilerFor, ownCompiler } from "./types/compiler.ts";
import { diagnosticsOf, DiagnosticSchema, introduced, isAboutProject, type Diagnostic } from "./types/diagnostics.ts";
import { escapeOf } from "./types/confine.ts";
import { Overlay, readByCompiler } from "./types/overlay.ts";
import { projectsOf } from "./types/projects.ts";

/** Where types are checked, and for how long at most. */
export interface TypeCheckPlace {
  /** The workspace's directory. */
  root: string;
  /** Milliseconds that all compilers of a batch have together. */
  timeoutMs: number;
}

/**
 * Every project of the workspace is checked by its own `tsc`, else by the engine's, as the batch would leave it: on a
 * copy under `.mission_control/cache`, so before anything is written. Only errors that the batch introduces count, also
 * those in files it does not touch. What could not be checked is an objection too (CHECK_FAILED), and neither a pass
 * nor a fault: a compiler that ran out of time, a project whose options are wrong, a file that did not parse before,
 * for whose sake `tsc` looks at no types at all.
 */
export function types(level: GateLevel, place: TypeCheckPlace): Gate {
  return { name: "types", level, last: true, run: (input) => check(input, place) };
}

const StateSchema = z.object({
  /** How many projects there were. */
  projects: z.number().int(),
  errors: z.array(DiagnosticSchema),
  /** Why not all types were looked at. */
  unchecked: z.string().nullable(),
});
/** What the compilers say of one state of the tree. */
type State = z.infer<typeof StateSchema>;

async function check({ plan }: GateInput, { root, timeoutMs }: TypeCheckPlace): Promise<Objection[] | null> {
  if (!plan.files.some(({ path, from }) => readByCompiler(path) || (from !== null && readByCompiler(from))))
    return null;
  const cache = openCache(root);
  if (cache === null) return [unchecked(".mission_control/cache is not a directory")];
  const ends = performance.now() + timeoutMs;
  const original = await Overlay.make(root, join(cache, "tree"));
  try {
    const planned = await original.with(effectsIn(plan));
    const after = await stateOf(planned, root, cache, ends);
    if (typeof after === "string") return [unchecked(after)];
    if (after.projects === 0) return null;
    if (after.errors.length === 0) return after.unchecked === null ? [] : [unchecked(after.unchecked)];

    const known = remembered(cache, original.key);
    const before = known ?? (await stateOf(await planned.with(undone(plan)), root, cache, ends));
    if (typeof before === "string") return [unchecked(before)];
    const fresh = introduced(before.errors, after.errors, plan.files);
    if (fresh.length === 0 && after.unchecked !== null) return [unchecked(after.unchecked)];
    return fresh.map((error) => objection(plan, error));
  } finally {
    original.remove();
  }
}

const unchecked = (reason: string): Objection => ({
  code: "CHECK_FAILED",
  finding: { message: `The types could not be checked: ${reason}.` },
  inconclusive: true,
});

function objection(plan: Plan, { file, line, column, code, message }: Diagnostic): Objection {
  if (file === null) return { code: "TYPE_ERROR", finding: { message: `${code}: ${message}` } };
  const planned = plan.files.find(({ path, after }) => path === file && after !== null);
  const patchId = planned && patchAt(plan.patches, file, line, planned.from);
  const context: ErrorContext | undefined = planned?.after ? contextAround(planned.after, line) : undefined;
  return {
    code: "TYPE_ERROR",
    finding: { file, line, column, message: `${code}: ${message}` },
    ...(context && { context }),
    ...(patchId !== undefined && { patchId }),
  };
}

/** What the compilers say of an overlay, remembered by its content; a reason where they came to no end. */
async function stateOf(overlay: Overlay, root: string, cache: string, ends: number): Promise<State | string> {
  const known = remembered(cache, overlay.key);
  if (known) return known;
  const projects = projectsOf(overlay.directory, overlay.paths());
  const state: State = { projects: projects.length, errors: [], unchecked: null };
  for (const project of projects) {
    const escape = escapeOf(overlay.directory, project);
    if (escape !== null) {
      state.unchecked ??= escape;
      continue;
    }
    const compiler = compilerFor(root, project);
    const buildInfo = join(cache, `${sha256(`${project}\n${compiler.version}`).slice(0, 16)}.tsbuildinfo`);
    const compiled = await compile(compiler, overlay.directory, project, buildInfo, ends - performance.now());
    if (!compiled.ok) {
      // What a compiler left half-written must not be read by the next.
      rmSync(buildInfo, { force: true });
      return compiled.reason;
    }
    // No inputs were found: a project of no files has no errors.
    const said = diagnosticsOf(compiled.output, { directory: overlay.directory, root });
    const errors = said.errors.filter(({ code }) => code !== "TS18003");
    state.errors.push(...errors);
    if (said.outside) state.unchecked ??= `${project} reads files outside of the workspace`;
    else if (errors.length === 0 && compiled.status !== 0 && !compiled.output.includes("TS18003")) {
      return `${project}: the compiler ended with status ${compiled.status}`;
    }
    state.unchecked ??= await hindrance(overlay, errors);
  }
  remember(cache, overlay.key, state);
  return state;
}

const place = ({ file, line, code, message }: Diagnostic): string =>
  `${file === null ? "" : `${file}:${line}: `}${code}: ${message}`;

/** What kept a compiler from looking at types: its options, or a text that does not parse. */
async function hindrance(overlay: Overlay, errors: readonly Diagnostic[]): Promise<string | null> {
  const project = errors.find(isAboutProject);
  if (project) return place(project);
  if (errors.length === 0 || !errors.every(({ code }) => /^TS1\d{3}$/u.test(code))) return null;
  for (const error of errors) {
    if (error.file === null) continue;
    const faults = await parseErrors(error.file, readFileSync(join(overlay.directory, error.file)));
    if (faults !== null && faults.length > 0) return place(error);
  }
  return null;
}

/** What the plan makes of the files. */
const effectsIn = (plan: Plan): Map<string, FileEffect> =>
  effectsOf(plan.files, ({ after, afterSha256, mode }) => ({
    bytes: after ?? new Uint8Array(),
    sha256: afterSha256 ?? "",
    mode,
  }));

/** What takes it back. */
function undone(plan: Plan): Map<string, FileEffect> {
  const effects = new Map<string, FileEffect>();
  for (const { path } of plan.files) effects.set(path, null);
  for (const { path, from, before, beforeSha256, mode } of plan.files) {
    if (before !== null && beforeSha256 !== null)
      effects.set(from ?? path, { bytes: before, sha256: beforeSha256, mode });
  }
  return effects;
}

/** States kept: enough for a workspace's last batches, tried and applied. */
const MAX_STATES = 16;

/** The cache's directory, its parts made one by one, so that nothing is made behind a symlink; null where one is. */
function openCache(root: string): string | null {
  let path = join(root, ".mission_control");
  for (const part of ["cache", "types"]) {
    path = join(path, part);
    if (!existsSync(path)) mkdirSync(path, { recursive: true });
    if (!lstatSync(path).isDirectory()) return null;
  }
  return path;
}

const stateFile = (cache: string, key: string): string =>
  join(cache, `${sha256(`${key}\n${ownCompiler().version}`)}.json`);

function remembered(cache: string, key: string): State | null {
  const file = stateFile(cache, key);
  if (!existsSync(file)) return null;
  try {
    const parsed = StateSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    if (!parsed.success) return null;
    const now = new Date();
    utimesSync(file, now, now);
    return parsed.data;
  } catch (error) {
    // Cut off by a crash: as good as not there.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function remember(cache: string, key: string, state: State): void {
  writeFileSync(stateFile(cache, key), JSON.stringify(state));
  const states = readdirSync(cache)
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({ name, used: statSync(join(cache, name)).mtimeMs }))
    .toSorted((a, b) => b.used - a.used);
  for (const { name } of states.slice(MAX_STATES)) rmSync(join(cache, name), { force: true });
}
