import type { Head } from "@shared/contracts";

/** What a commit of a workspace says of itself, in git's trailers (git-interpret-trailers). */
export interface Provenance {
  orderId: string;
  workspaceId: string;
  /** Where the engine's log stood: `seq:hash`. */
  log: Head;
  /** Where the custody chain stood. */
  custody: Head;
  treeHash: string;
  /** The batches since the commit before, oldest first. */
  batchIds: readonly string[];
}

const PREFIX = "VibeHQ-";
const MAX_BATCHES = 200;
const headText = ({ seq, hash }: Head): string => `${seq}:${hash}`;

export function withTrailers(message: string, provenance: Provenance): string {
  const { orderId, workspaceId, log, custody, treeHash, batchIds } = provenance;
  const listed = batchIds.slice(-MAX_BATCHES);
  const lines = [
    ["Order", orderId],
    ["Workspace", workspaceId],
    ["Log", headText(log)],
    ["Custody", headText(custody)],
    ["Tree", treeHash],
    ...listed.map((batchId) => ["Batch", batchId]),
    ...(listed.length < batchIds.length ? [["Batches-Before", String(batchIds.length - listed.length)]] : []),
  ];
  // Only the last paragraph holds trailers, so none of the message's own is taken for one of these.
  return `${message.trim()}\n\n${lines.map(([key, value]) => `${PREFIX}${key}: ${value}`).join("\n")}\n`;
}

/** Of a commit's message: whose tree it is and where its log stood. Null: it is not one of a workspace. */
export function readTrailers(message: string): { workspaceId: string; log: Head } | null {
  const last = message.trimEnd().split(/\n\n+/).at(-1) ?? "";
  const values = new Map(
    last.split("\n").map((line): [string, string] => {
      const [, key = "", value = ""] = /^VibeHQ-([A-Za-z-]+): (.*)$/.exec(line) ?? [];
      return [key, value];
    }),
  );
  const workspaceId = values.get("Workspace");
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(values.get("Log") ?? "") ?? [];
  if (workspaceId === undefined || seq === undefined || hash === undefined) return null;
  return { workspaceId, log: { seq: Number(seq), hash } };
}
