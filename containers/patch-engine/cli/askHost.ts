import { existsSync, lstatSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";
import { POINTER, SERVED_VERBS, type SocketAnswer, type SocketRequest } from "../serving/wire.ts";

/** How long a host may take to say that it has the request. After that the work is done here; in ms. */
const RECEIPT_MS = 2000;

export interface Asked {
  answer: Extract<SocketAnswer, { done: true }> | null;
  /** The workspace's root. */
  root: string;
  /** What was read from standard input, which cannot be read twice. */
  stdin: string | undefined;
  batchId: string;
}

/**
 * Asks the host that holds this workspace to run the command line. Null: none was asked. `answer` null: none answered;
 * whoever then does the work must do it under `batchId`, as the host may have done it too.
 *
 * Only what this needs is imported here: with a host to do the work, this is all of `patchctl` that is loaded.
 */
export async function askHost(argv: readonly string[], isTTY: boolean): Promise<Asked | null> {
  const [verb, ...rest] = argv;
  if (verb === undefined || !SERVED_VERBS.has(verb) || rest.includes("--help") || rest.includes("-h")) return null;
  const root = rootOf(rest);
  const pointer = root === null ? null : readPointer(root);
  if (root === null || pointer === null) return null;
  let stdin: string | undefined;
  if (namesStdin(verb, rest)) {
    try {
      stdin = readFileSync(0, "utf8");
    } catch {
      // Whoever does the work meets the same error, and tells it.
      return null;
    }
  }
  const request: SocketRequest = {
    v: 1,
    workspaceId: pointer.workspaceId,
    root,
    argv: [...argv],
    cwd: process.cwd(),
    isTTY,
    stdin: stdin ?? null,
    batchId: await mintUuid(),
  };
  const answer = await exchange(pointer.socket, `${JSON.stringify(request)}\n`);
  return { answer: answer?.done === true ? answer : null, root, stdin, batchId: request.batchId };
}

/** The kernel's generator where it has one: to load `node:crypto` takes as long as all else here. */
async function mintUuid(): Promise<string> {
  try {
    return readFileSync("/proc/sys/kernel/random/uuid", "utf8").trim();
  } catch {
    return (await import("node:crypto")).randomUUID();
  }
}

/** As `rootOf` of the verbs finds it; null leaves it to them to say what is wrong. */
function rootOf(rest: readonly string[]): string | null {
  const end = rest.indexOf("--");
  const options = end === -1 ? rest : rest.slice(0, end);
  const at = options.findLastIndex((word) => word === "--root" || word.startsWith("--root="));
  if (at !== -1) {
    const given = options[at] === "--root" ? options[at + 1] : options[at]?.slice("--root=".length);
    return given === undefined || given === "" ? null : resolve(given);
  }
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, ".mission_control")) || existsSync(join(directory, ".git"))) return directory;
    if (dirname(directory) === directory) return null;
  }
}

/** Null where no host has been here, or what it left is not to be trusted. */
function readPointer(root: string): { socket: string; workspaceId: string } | null {
  try {
    const pointer: unknown = JSON.parse(readFileSync(join(root, ".mission_control", POINTER), "utf8"));
    if (typeof pointer !== "object" || pointer === null || !("socket" in pointer) || !("workspaceId" in pointer)) {
      return null;
    }
    const { socket, workspaceId } = pointer;
    if (typeof socket !== "string" || typeof workspaceId !== "string") return null;
    // A workspace may have come from elsewhere, with a pointer to what a stranger listens on.
    // As bigint: see launch.ts.
    const stat = lstatSync(socket, { bigint: true });
    return stat.isSocket() && Number(stat.uid) === process.getuid?.() && (stat.mode & 0o077n) === 0n
      ? { socket, workspaceId }
      : null;
  } catch {
    // Whatever is wrong with the pointer: the work can be done without a host.
    return null;
  }
}

const namesStdin = (verb: string, rest: readonly string[]): boolean =>
  verb === "apply" || verb === "simulate" || verb === "validate"
    ? rest.includes("-")
    : rest.some((word, at) => word === "--block-file=-" || (word === "-" && rest[at - 1] === "--block-file"));

/** Sends a request; null where no whole answer came, or the host would not have it. */
function exchange(path: string, request: string): Promise<SocketAnswer | null> {
  return new Promise((settle) => {
    const socket = connect(path);
    const late = setTimeout(() => socket.destroy(), RECEIPT_MS);
    let received = "";
    let accepted = false;
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(request));
    socket.on("data", (text: string) => {
      // A long answer comes in many pieces; only the first lines' ends need a look at what has come.
      received += text;
      if (accepted || !received.includes("\n")) return;
      clearTimeout(late);
      accepted = true;
      if (!received.startsWith('{"accepted":true}\n')) socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(late);
      const [, answer, end] = received.split("\n");
      settle(answer !== undefined && end === "" ? parseAnswer(answer) : null);
    });
  });
}

function parseAnswer(line: string): SocketAnswer | null {
  const answer: unknown = JSON.parse(line);
  if (typeof answer !== "object" || answer === null || !("done" in answer) || answer.done !== true) return null;
  if (!("exit" in answer) || !("out" in answer) || !("err" in answer) || !("report" in answer)) return null;
  const { exit, out, err, report } = answer;
  if (typeof exit !== "number" || typeof out !== "string" || typeof err !== "string") return null;
  return { done: true, exit, out, err, report: report === true };
}
