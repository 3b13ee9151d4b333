import { createHash } from "node:crypto";
import type { WorkspaceSource } from "@shared/contracts";

/**
 * Whether a request means the source a workspace was opened from. Answered from the words of both, so that a source
 * that has changed or is gone since does not matter; an archive's bytes are compared by their hash.
 */
export function sameSource(recorded: WorkspaceSource, requested: WorkspaceSource): boolean {
  switch (requested.kind) {
    case "template":
      return recorded.kind === "template" && recorded.template === requested.template;
    case "git":
      return recorded.kind === "git" && recorded.repository === requested.repository && recorded.ref === requested.ref;
    case "path":
      return recorded.kind === "path" && recorded.path === requested.path;
    case "archive": {
      if (recorded.kind !== "archive") return false;
      const hashOfBytes =
        requested.base64 === undefined || requested.base64 === ""
          ? undefined
          : createHash("sha256").update(Buffer.from(requested.base64, "base64")).digest("hex");
      const named = [requested.sha256, hashOfBytes].filter((hash) => hash !== undefined);
      if (named.length > 0) return named.every((hash) => hash === recorded.sha256);
      return requested.path !== undefined && requested.path === recorded.path;
    }
  }
}
