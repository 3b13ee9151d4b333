import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import type { Result } from "@shared/contracts";
import { NO_FAULTS, type Faults } from "../transaction/steps.ts";
import { Engine } from "./Engine.ts";
import { Workspace } from "./Workspace.ts";

export interface OpenEngineOptions {
  /** The workspace's directory. */
  root: string;
  workspaceId: string;
  now?: () => Date;
  /** Names batches that come without an id. */
  mintId?: () => string;
  /** How long to wait for another process to be done, in milliseconds. Default 30 s. */
  lockTimeoutMs?: number;
  /** How long the workspace's own check may run, in milliseconds. Default 10 min. */
  checkTimeoutMs?: number;
  /** How long all compilers of one batch may run together, in milliseconds. Default 2 min. */
  typesTimeoutMs?: number;
  /** For tests: called at each step of a transaction. */
  faults?: Faults;
}

/**
 * Opens the engine of a workspace: finishes what a crash left, verifies the log, and lists the tree where it is opened
 * for the first time. LOG_CORRUPT, LOCK_TIMEOUT, IO_ERROR.
 */
export async function openEngine(options: OpenEngineOptions): Promise<Result<{ engine: Engine }>> {
  const { root, workspaceId, faults = NO_FAULTS, lockTimeoutMs = 30_000 } = options;
  const { checkTimeoutMs = 600_000, typesTimeoutMs = 120_000 } = options;
  const opened = await Workspace.open({ root, faults, lockTimeoutMs });
  if (!opened.ok) return opened;
  const engine = new Engine(opened.workspace, {
    root: realpathSync(root),
    workspaceId,
    checkTimeoutMs,
    typesTimeoutMs,
    now: options.now ?? (() => new Date()),
    mintId: options.mintId ?? randomUUID,
  });
  return { ok: true, engine };
}
