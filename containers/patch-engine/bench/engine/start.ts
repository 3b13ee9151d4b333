import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { measure, timingOf, type Row } from "./measure.ts";

const PATCHCTL = fileURLToPath(new URL("../../cli/patchctl.ts", import.meta.url));
const SERVES = existsSync(new URL("../../cli/verbs/serve.ts", import.meta.url));
const BATCHES = 1_000;
/** Process starts that are timed; a thousand of them would only take longer. */
const STARTS = 20;

/** What a start of `patchctl` costs beside a bare node, and a batch in one process beside a process a batch. */
export async function measureStart(): Promise<{ rows: Row[]; remarks: string[] }> {
  const root = mkdtempSync(join(tmpdir(), "vibehq-bench-"));
  mkdirSync(join(root, ".git"));
  writeFileSync(join(root, "file.txt"), "0\n");
  const node = (args: string[], input = ""): string =>
    execFileSync(process.execPath, args, { cwd: root, input, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] });
  let count = 0;
  const next = (): string =>
    JSON.stringify({ patches: [{ op: "replace-block", file: "file.txt", start: 1, end: 1, block: String(++count) }] });
  const checkLast = (who: string): void => {
    if (readFileSync(join(root, "file.txt"), "utf8") !== `${count}\n`) throw new Error(`${who} lost a batch`);
  };

  try {
    const timings = await measure(
      [
        { name: "node -e 0", run: () => node(["-e", "0"]) },
        { name: "patchctl --help", run: () => node([PATCHCTL, "--help"]) },
        { name: "patchctl apply -, a process each", run: () => node([PATCHCTL, "apply", "-"], next()) },
      ],
      STARTS,
    );
    checkLast("a process");
    const [bare, help, apply] = [...timings.values()];
    if (!bare || !help || !apply) throw new Error("nothing was measured");
    const rows: Row[] = [
      { what: "patchctl start (--help)", ours: help, against: bare, reach: { slower: 1.6 } },
      { what: "patchctl apply of a small batch, in a process of its own", ours: apply, against: bare, reach: null },
    ];
    if (!SERVES) {
      const remark = "- 1,000 small batches through one process: left out, this patchctl has no `serve --stdio`.";
      return { rows, remarks: [remark] };
    }
    const each = await servedBatch(root, next);
    checkLast("the served process");
    const ours = timingOf("a batch of one process", [each]);
    rows.push({
      what: `${BATCHES} small batches through one process, each`,
      ours,
      against: apply,
      reach: { faster: 50 },
    });
    return { rows, remarks: [] };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Milliseconds a batch takes when 1,000 go through one `patchctl serve --stdio`, its start included. */
async function servedBatch(root: string, next: () => string): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [PATCHCTL, "serve", "--stdio"], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  for (let sent = 0; sent < BATCHES; sent++) child.stdin.write(`${next()}\n`);
  child.stdin.end();
  let answers = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const answer: unknown = JSON.parse(line);
    if (typeof answer !== "object" || answer === null || !("ok" in answer) || answer.ok !== true) {
      throw new Error(`a batch was refused: ${line}`);
    }
    answers++;
  }
  if (answers !== BATCHES) throw new Error(`${answers} of ${BATCHES} batches were answered`);
  return (performance.now() - start) / BATCHES;
}
