import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { fail } from "@shared/contracts";
import { copyTree, WORKING_DIRECTORY_LEAVES_OUT } from "./copyTree.ts";
import type { Materialize } from "./source.ts";

/** A directory the host ships under a name; its own `.mission_control/policy.json` comes with it. */
export const materializeTemplate: Materialize<"template"> = async (source, into, context) => {
  const directory = context.templates.get(source.template);
  if (directory === undefined || !existsSync(directory))
    return fail("SOURCE_INVALID", `this host has no template ${source.template}`);
  const copied = await copyTree(await realpath(directory), into, {
    exclude: [context.dataDir],
    takePolicy: true,
    leftOut: WORKING_DIRECTORY_LEAVES_OUT,
    limits: context.limits,
  });
  return copied.ok ? { ok: true, pin: null, recorded: source, skipped: copied.skipped } : copied;
};
