import { stat } from "node:fs/promises";
import { fail } from "@shared/contracts";
import { copyTree, WORKING_DIRECTORY_LEAVES_OUT } from "./copyTree.ts";
import { resolveBelowRoots, type Materialize } from "./source.ts";

/** A directory below a source root, copied as it stands. */
export const materializePath: Materialize<"path"> = async (source, into, context) => {
  const resolved = await resolveBelowRoots(source.path, context.sourceRoots);
  if (!resolved.ok) return resolved;
  if (!(await stat(resolved.path)).isDirectory()) return fail("SOURCE_INVALID", "the source is not a directory");
  const copied = await copyTree(resolved.path, into, {
    exclude: [context.dataDir],
    takePolicy: true,
    leftOut: WORKING_DIRECTORY_LEAVES_OUT,
    limits: context.limits,
  });
  return copied.ok ? { ok: true, pin: null, recorded: source, skipped: copied.skipped } : copied;
};
