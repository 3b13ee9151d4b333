import { chmodSync, realpathSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { z } from "zod";
import type { Failed } from "@shared/contracts";
import { main } from "../cli/main.ts";
import { ElsewhereError } from "../cli/workspace.ts";
import type { Engine } from "../index.ts";
import { MAX_REQUEST_BYTES, SERVED_VERBS, type SocketAnswer, type SocketReceipt, type SocketRequest } from "./wire.ts";

const RequestSchema = z.object({
  v: z.literal(1),
  workspaceId: z.string(),
  root: z.string(),
  argv: z.array(z.string()).min(1),
  cwd: z.string(),
  isTTY: z.boolean(),
  stdin: z.string().nullable(),
  batchId: z.string(),
}) satisfies z.ZodType<SocketRequest>;

/** How long a client may take to send its request; in ms. */
const REQUEST_MS = 30_000;

export interface SocketHost {
  /** The real path of a workspace's directory; null where this host has none by that id, or takes on nothing more. */
  rootOf(workspaceId: string): Promise<string | null>;
  /** Runs `work` on the workspace's engine; what it answers where that cannot be opened. */
  use<T>(workspaceId: string, work: (engine: Engine) => Promise<T>): Promise<T | Failed>;
  /** A command line was run, and has ended with this code after that many milliseconds. */
  onAnswer(about: { workspaceId: string; verb: string; exit: number; ms: number }): void;
  /** What nobody foresaw. The client does the work itself. */
  onError(error: unknown): void;
}

export interface SocketServer {
  /** Takes no more connections, and removes the socket; settles when what runs has been answered. */
  close(): Promise<void>;
}

/**
 * Runs command lines for every `patchctl` that connects, on the engines that are open here; see wire.ts. A socket that
 * a dead host left is replaced. Null: a living one listens there. Rejects where none can be made.
 */
export async function listenOnSocket(path: string, host: SocketHost): Promise<SocketServer | null> {
  if (await isAnswered(path)) return null;
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    // The client may go away at any time; what it asked for is carried out all the same.
    socket.on("error", () => socket.destroy());
    converse(socket, host).catch((error: unknown) => {
      host.onError(error);
      socket.destroy();
    });
  });
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", resolve);
  });
  // The socket is its owner's from the moment it is there: it is bound within this call.
  const umask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await listening;
  chmodSync(path, 0o600);
  return { close: () => new Promise((resolve) => void server.close(() => resolve())) };
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

async function converse(socket: Socket, host: SocketHost): Promise<void> {
  const line = await requestOf(socket);
  const request = line === null ? null : parse(line);
  const root = request && (await host.rootOf(request.workspaceId));
  if (!request || root === null || !isSame(root, request.root) || !SERVED_VERBS.has(request.argv[0] ?? "")) {
    const refused: SocketReceipt = { accepted: false };
    socket.end(`${JSON.stringify(refused)}\n`);
    return;
  }
  const receipt: SocketReceipt = { accepted: true };
  socket.write(`${JSON.stringify(receipt)}\n`);
  socket.end(`${JSON.stringify(await answer(request, root, host))}\n`);
}

async function answer(request: SocketRequest, root: string, host: SocketHost): Promise<SocketAnswer> {
  const { workspaceId, argv, cwd, isTTY, stdin, batchId } = request;
  const started = performance.now();
  let out = "";
  let err = "";
  let report = false;
  try {
    const exit = await host.use(workspaceId, (engine) =>
      main(argv, {
        out: (text) => void (out += text),
        err: (text) => void (err += text),
        isTTY,
        cwd,
        // Nothing that a verb asks of its environment concerns a workspace that is open already.
        env: {},
        stdin: () => stdin ?? "",
        held: { engine, root },
        batchId,
        report: () => void (report = true),
      }),
    );
    // An engine that cannot be opened here is the client's to complain of.
    if (typeof exit !== "number") return { done: false };
    host.onAnswer({ workspaceId, verb: argv[0] ?? "", exit, ms: Math.round(performance.now() - started) });
    return { done: true, exit, out, err, report };
  } catch (error) {
    if (!(error instanceof ElsewhereError)) host.onError(error);
    return { done: false };
  }
}

/** The first line of a connection; null where it is too long or late, or never ends. */
function requestOf(socket: Socket): Promise<string | null> {
  return new Promise((settle) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const late = setTimeout(() => socket.destroy(), REQUEST_MS);
    const end = (line: string | null) => {
      clearTimeout(late);
      settle(line);
    };
    socket.on("data", (chunk) => {
      const at = chunk.indexOf(10);
      const part = at === -1 ? chunk : chunk.subarray(0, at);
      size += part.length;
      if (size > MAX_REQUEST_BYTES) {
        socket.destroy();
        return;
      }
      chunks.push(part);
      if (at !== -1) end(Buffer.concat(chunks, size).toString("utf8"));
    });
    socket.once("close", () => end(null));
  });
}

function parse(line: string): SocketRequest | null {
  try {
    const parsed = RequestSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isSame(root: string, asked: string): boolean {
  try {
    return realpathSync(asked) === root;
  } catch {
    return false;
  }
}
