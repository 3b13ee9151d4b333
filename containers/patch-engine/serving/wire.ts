/**
 * What `patchctl` and a running host say to each other over the host's Unix socket: JSON, one object a line. The client
 * sends one request; the host answers at once that it has taken it, and later what came of it, and ends.
 *
 * No token is asked for: the socket's permissions (0600, in a directory that is its owner's) let in whoever could write
 * the workspace's files anyway. This module loads nothing, as `patchctl` reads it before all else.
 */

/** In `.mission_control/`: names the socket of the host that holds the workspace. It may outlive the host. */
export const POINTER = "host.json";

/** A request is at most this many bytes: a batch or block, quoted once more. */
export const MAX_REQUEST_BYTES = 64 * 1024 * 1024;

/** The verbs a host carries out. The others outlive their command line, or speak with more than a workspace. */
export const SERVED_VERBS: ReadonlySet<string> = new Set([
  "replace-block",
  "insert-before",
  "insert-after",
  "append",
  "prepend",
  "search-replace",
  "replace-marker",
  "create-file",
  "delete-file",
  "rename-file",
  "apply",
  "simulate",
  "validate",
  "revert",
  "show",
  "log",
  "verify",
  "markers",
]);

/** `.mission_control/host.json`. */
export interface HostPointer {
  v: 1;
  socket: string;
  workspaceId: string;
}

export interface SocketRequest {
  v: 1;
  workspaceId: string;
  /** The workspace's directory as the client found it. A copy of a workspace has the pointer of its original. */
  root: string;
  argv: string[];
  cwd: string;
  isTTY: boolean;
  /** Standard input, where the command line names it. */
  stdin: string | null;
  /** For a batch without an id. If no answer comes, the client does the work itself under this id: it is done once. */
  batchId: string;
}

/** The first line of an answer. Where it is not accepted, nothing was done, and nothing more comes. */
export interface SocketReceipt {
  accepted: boolean;
}

/** The second line. `done` false: the host could not do it and did nothing; the client does it itself. */
export type SocketAnswer =
  | { done: false }
  | {
      done: true;
      exit: number;
      out: string;
      err: string;
      /** The workspace's log has news for the orchestrator, whom only the client's environment names. */
      report: boolean;
    };
