import type { Operation } from "./recordingFs.ts";

/** What an engine would have done to the disk that did one thing less, or one thing too early. */

type Trace = readonly Operation[];

export const withoutSync = (trace: Trace, at: number): Operation[] => trace.filter((_one, index) => index !== at);

const isFile = (operation: Operation, doing: string): boolean =>
  operation.kind === "names" && operation.doing === doing && !operation.set[0]?.path.startsWith(".mission_control");

/** The first of the batch's operations that `moves`, done before the first that `target`. */
function early(trace: Trace, moves: (one: Operation) => boolean, target: (one: Operation) => boolean): Operation[] {
  const from = trace.findIndex(moves);
  const to = trace.findIndex(target);
  const moved = trace[from];
  if (!moved || to === -1 || to > from) throw new Error("the trace does not hold what the mutant changes");
  return [...trace.slice(0, to), moved, ...trace.slice(to, from), ...trace.slice(from + 1)];
}

const appends = (operation: Operation): boolean =>
  operation.kind === "write" && operation.bytes.includes('"prevHash":');
const appendSync = (trace: Trace): Operation | undefined => {
  const at = trace.findIndex(appends);
  return trace.slice(at).find(({ kind }) => kind === "sync");
};
const temporarySync = (trace: Trace): Operation | undefined => {
  const at = trace.findIndex((one) => isFile(one, "create"));
  return trace.slice(at).find(({ kind }) => kind === "sync");
};
const marks = (operation: Operation): boolean =>
  operation.kind === "write" && operation.bytes.toString("latin1").endsWith(" end\n");

export const MUTANTS: Readonly<Record<string, (trace: Trace) => Operation[]>> = {
  "renames before the record is written": (trace) => early(trace, (one) => isFile(one, "rename"), appends),
  "renames before the record is durable": (trace) =>
    early(
      trace,
      (one) => isFile(one, "rename"),
      (one) => one === appendSync(trace),
    ),
  "removes before the record is durable": (trace) =>
    early(
      trace,
      (one) => isFile(one, "unlink"),
      (one) => one === appendSync(trace),
    ),
  "removes before the new content is durable": (trace) =>
    early(
      trace,
      (one) => isFile(one, "unlink"),
      (one) => one === temporarySync(trace),
    ),
  "renames before the new content is durable": (trace) =>
    early(
      trace,
      (one) => isFile(one, "rename"),
      (one) => one === temporarySync(trace),
    ),
  "marks the entry as done before its files stand": (trace) => early(trace, marks, (one) => isFile(one, "unlink")),
  "says that it is applied before the record is durable": (trace) =>
    early(
      trace,
      ({ kind }) => kind === "acknowledged",
      (one) => one === appendSync(trace),
    ),
};
