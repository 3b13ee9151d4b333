import { fstatSync, writeSync } from "node:fs";
import { askHost } from "./askHost.ts";

/**
 * Runs a command line: through the host that holds the workspace where one answers, else here. All of the engine is
 * loaded in the second case only.
 */
export async function launch(argv: readonly string[]): Promise<void> {
  // Nearly `isatty`, whose module takes longer to load than a host to answer; whoever reads /dev/null will not mind.
  // As bigint: Node's module loader takes the last numbers of any stat for those of the path it resolves, and gives up
  // at what looks like a pipe.
  const asked = await askHost(argv, fstatSync(1, { bigint: true }).isCharacterDevice());
  if (asked?.answer) {
    const { exit, out, err, report } = asked.answer;
    process.exitCode = exit;
    write(1, out);
    write(2, err);
    if (report) (await import("./reportInBackground.ts")).reportInBackground(asked.root);
    return;
  }
  // Most of a short command's time is loading code; the second run finds it compiled.
  (await import("node:module")).enableCompileCache();
  const { run } = await import("./run.ts");
  process.exitCode = await run(argv, asked?.stdin, asked?.batchId);
}

/** Writes without the streams of `process`, which take their time to load, unless the reader is slow. */
function write(fd: 1 | 2, text: string): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
  } catch {
    // Not ready (EAGAIN) or gone (EPIPE): the stream waits for the one and tells the other.
    (fd === 1 ? process.stdout : process.stderr).write(rest);
  }
}
