import { fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEngineHost } from "@shared/testing";
import { measure, type Row } from "./measure.ts";

const ROUNDS = 300;

/** One one-file batch, answered when it is durable, against the same HTTP server doing one atomic write with fsync. */
export async function measureDurable(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "vibehq-bench-"));
  const source = join(directory, "source");
  mkdirSync(source);
  const text = `${Array.from({ length: 200 }, (_, at) => `line ${at}`).join("\n")}\n`;
  writeFileSync(join(source, "file.txt"), text);
  cpSync(source, join(directory, "bare"), { recursive: true });

  const host = await startEngineHost({ sourceRoots: [directory], dataDir: join(directory, "data") });
  const bare = fork(fileURLToPath(new URL("bareServer.ts", import.meta.url)), [join(directory, "bare/file.txt")]);
  try {
    const [bareUrl]: unknown[] = await once(bare, "message");
    const opened = await host.request("POST", "/v1/workspaces", {
      workspaceId: "bench",
      source: { kind: "path", path: source },
    });
    if (opened.status >= 300) throw new Error("the workspace was not opened");
    let count = 0;
    const timings = await measure(
      [
        {
          name: "one atomic write with fsync, same server",
          run: async () => {
            const body = JSON.stringify({ text: `${text}${count++}\n` });
            const answer = await fetch(`${String(bareUrl)}/write`, {
              method: "POST",
              headers: { "content-type": "application/json", authorization: "Bearer bench" },
              body,
            });
            await answer.json();
          },
        },
        {
          name: "patch-engine host",
          run: async () => {
            const batch = {
              patches: [{ op: "replace-block", file: "file.txt", start: 100, end: 100, block: `edit ${count++}` }],
            };
            const answer = await host.request("POST", "/v1/workspaces/bench/batches", { batch });
            if (answer.status !== 200) throw new Error(`the host answered ${answer.status}`);
          },
        },
      ],
      ROUNDS,
    );
    const [against, ours] = [...timings.values()];
    if (!ours || !against) throw new Error("nothing was measured");
    return [{ what: "one durable one-file batch", ours, against, reach: { slower: 2 } }];
  } finally {
    bare.kill();
    await host.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
