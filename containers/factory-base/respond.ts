import { ERROR_STATUS, problemOf, vibeError, type EngineAnswer, type Result, type VibeError } from "@shared/contracts";
import { createReadStream, fstatSync, openSync, unlinkSync } from "node:fs";
import { Readable } from "node:stream";
import type { Context } from "hono";
import type { SnapshotManifest } from "patch-engine";

export interface HostVariables {
  Variables: { requestId: string };
}
export type HostContext = Context<HostVariables>;

const json = (body: unknown, status: number, headers: Record<string, string>): Response =>
  new Response(JSON.stringify(body), { status, headers });

/** A success as JSON, an error as problem details (RFC 9457). */
export function respond(c: HostContext, result: Result<object>, headers: Record<string, string> = {}): Response {
  if (result.ok) return json(result, 200, { ...headers, "content-type": "application/json" });
  const problem = problemOf(result.error, { requestId: c.get("requestId") });
  return json(problem, problem.status, { ...headers, "content-type": "application/problem+json" });
}

/** An engine's answer keeps its shape whether it was done or refused: the caller needs `head` and `entries` of both. */
export function respondWithAnswer(answer: EngineAnswer): Response {
  const status = answer.ok ? 200 : ERROR_STATUS[answer.error?.code ?? "INTERNAL"];
  return json(answer, status, { "content-type": "application/json" });
}

/**
 * A snapshot as it is read from disk, gone from there once it was sent or the caller has left. Its length is given
 * ahead, so that a caller tells a whole one from one that was cut off.
 */
export function respondWithSnapshot(
  c: HostContext,
  result: Result<{ path: string; manifest: SnapshotManifest }>,
): Response {
  if (!result.ok) return respond(c, result);
  const { path, manifest } = result;
  const file = openSync(path, "r");
  // From here on the file lives as long as the stream that reads it.
  unlinkSync(path);
  const { size } = fstatSync(file);
  const stream = Readable.toWeb(createReadStream("", { fd: file, autoClose: true }));
  return new Response(stream, {
    status: 200,
    headers: {
      "content-type": "application/gzip",
      "content-length": String(size),
      "x-vibehq-tree-hash": manifest.treeHash,
      "x-vibehq-head": `${manifest.head.seq}:${manifest.head.hash}`,
    },
  });
}

/** What a caller may know of a failure nobody foresaw: whether asking again may help, and that a write is in doubt. */
export function errorOf(error: unknown, method: string): VibeError {
  const nothingWritten = method === "GET" || method === "HEAD" ? true : null;
  const isSystemError = error instanceof Error && "syscall" in error;
  return isSystemError
    ? vibeError("IO_ERROR", "the host could not read or write its disk", { nothingWritten })
    : vibeError("INTERNAL", "the host failed to answer", { nothingWritten });
}
