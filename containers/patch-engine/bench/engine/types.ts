import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownCompiler } from "../../gates/types/compiler.ts";
import { openEngine } from "../../index.ts";
import { measure, type Row } from "./measure.ts";

const FILES = 200;
const ROUNDS = 15;

/**
 * A dry run of a batch with its types checked, in a project of 200 files whose cache is warm, against a bare
 * `tsc --noEmit` of the same project by the same compiler. Every round writes another text, so that no answer is
 * remembered: the compiler runs each time. The batch of an error costs a second run only where the state before is not
 * known, which it is here, as in a workspace whose last batch was checked.
 */
export async function measureTypes(): Promise<Row[]> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "vibehq-bench-")));
  try {
    writeProject(root);
    const opened = await openEngine({ root, workspaceId: "bench" });
    if (!opened.ok) throw new Error(opened.error.message);
    const { engine } = opened;
    let round = 0;
    const tryOut = async (block: (n: number) => string, ok: boolean): Promise<void> => {
      const file = `src/module${FILES / 2}.ts`;
      const patches = [{ op: "insert-before", file, line: 3, block: block(round++) }];
      const answer = await engine.apply({ batch: { patches, check: "types", dryRun: true }, door: "host" });
      if (answer.ok !== ok) throw new Error(answer.error?.message ?? "an error was not found");
    };
    const bare = () => tsc(root, ["--noEmit"]);
    const sound = () => tryOut((n) => `export const added${n}: number = ${n};`, true);
    const wrong = () => tryOut((n) => `export const added${n}: string = ${n};`, false);
    // A checked batch that is applied leaves the state that the next is compared with.
    const first = { patches: [{ op: "append", file: "src/module0.ts", block: "// warm" }], check: "types" };
    const applied = await engine.apply({ batch: first, door: "host" });
    if (!applied.ok) throw new Error(applied.error?.message ?? "the first batch was refused");
    const timings = await measure(
      [
        { name: "tsc --noEmit", run: bare },
        { name: "sound", run: sound },
        { name: "wrong", run: wrong },
      ],
      ROUNDS,
    );
    await engine.close();
    const [against, good, bad] = [...timings.values()];
    if (!against || !good || !bad) throw new Error("nothing was measured");
    return [
      { what: `types gate, ${FILES} files, warm: a batch that is sound`, ours: good, against, reach: null },
      { what: `types gate, ${FILES} files, warm: a batch with an error`, ours: bad, against, reach: null },
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Modules of some forty lines, each of which imports the two before it. */
function writeProject(root: string): void {
  mkdirSync(join(root, "src"));
  const compilerOptions = { strict: true, noEmit: true, module: "preserve", target: "es2024", types: [] };
  writeFileSync(join(root, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }));
  for (let at = 0; at < FILES; at++) {
    const imports = [at - 1, at - 2]
      .filter((other) => other >= 0)
      .map((other) => `import { total${other}, type Item${other} } from "./module${other}";\n`);
    const uses = [at - 1, at - 2].filter((other) => other >= 0);
    const parts = Array.from(
      { length: 8 },
      (_, part) =>
        `export function part${at}x${part}<T extends { id: string }>(items: readonly T[]): Map<string, T> {\n` +
        `  return new Map(items.filter(({ id }) => id.length > ${part}).map((item) => [item.id, item] as const));\n}\n`,
    );
    const sum = uses.map((other) => `total${other}(items as Item${other}[])`).join(" + ") || "0";
    const text = [
      ...imports,
      `export interface Item${at} { id: string; size: number; tags: readonly string[] }\n`,
      ...parts,
      `export function total${at}(items: Item${at}[]): number {\n`,
      `  return items.reduce((sum, { size }) => sum + size, 0) + ${sum};\n}\n`,
    ];
    writeFileSync(join(root, `src/module${at}.ts`), text.join(""));
  }
}

function tsc(cwd: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [ownCompiler().script, ...args], { cwd }, (error, stdout) =>
      error ? reject(new Error(stdout)) : resolve(stdout),
    );
  });
}
