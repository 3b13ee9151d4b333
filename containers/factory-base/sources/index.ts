import type { Result, WorkspaceSource } from "@shared/contracts";
import { materializeArchive } from "./archive.ts";
import { materializeGit } from "./git.ts";
import { materializePath } from "./path.ts";
import type { Materialized, SourceContext } from "./source.ts";
import { materializeTemplate } from "./template.ts";

export type { SkippedFile, SourceContext } from "./source.ts";

/** Fills the empty directory `into` with the files of a source. Errors: SOURCE_INVALID. */
export function materialize(
  source: WorkspaceSource,
  into: string,
  context: SourceContext,
): Promise<Result<Materialized>> {
  switch (source.kind) {
    case "template":
      return materializeTemplate(source, into, context);
    case "git":
      return materializeGit(source, into, context);
    case "path":
      return materializePath(source, into, context);
    case "archive":
      return materializeArchive(source, into, context);
  }
}
