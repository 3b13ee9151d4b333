import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PolicyFile } from "@shared/contracts";
import { apply, makeRoot, open, read, tree, write } from "../engine/tempWorkspace.ts";

const TSCONFIG = JSON.stringify({
  compilerOptions: { strict: true, noEmit: true, module: "preserve", target: "es2024", types: [], skipLibCheck: true },
  include: ["src"],
});
const PROJECT = {
  "tsconfig.json": TSCONFIG,
  "src/add.ts": "export function add(a: number, b: number): number {\n  return a + b;\n}\n",
  "src/use.ts": 'import { add } from "./add";\n\nexport const sum: number = add(1, 2);\n',
};
const setPolicy = (root: string, policy: Partial<PolicyFile>) =>
  write(root, ".mission_control/policy.json", JSON.stringify(policy));
const checkOf = (answer: Awaited<ReturnType<typeof apply>>) =>
  answer.outcome?.checks.find(({ name }) => name === "types");
const replace = (file: string, line: number, block: string, more: object = {}) => ({
  check: "types",
  patches: [{ op: "replace-block", file, start: line, end: line, block }],
  ...more,
});

/** A `tsc` of the workspace's own, which runs this script and nothing else. */
function ownCompiler(root: string, script: string): void {
  write(root, "node_modules/typescript/package.json", '{"name":"typescript","version":"0.0.1"}');
  write(root, "node_modules/typescript/bin/tsc", script);
}

/** What of a tree a bystander would notice: names, inodes, links, times of change, content. */
function traces(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes(".mission_control"))
    .map((path) => {
      const { ino, nlink, mtimeMs, ctimeMs, mode } = lstatSync(path);
      return [
        path,
        ino,
        nlink,
        mtimeMs,
        ctimeMs,
        mode,
        statSync(path).isFile() ? readFileSync(path, "utf8") : "",
      ].join();
    })
    .toSorted();
}

describe("the types gate", () => {
  it("refuses an error that the batch brings in, with its place and code, and writes nothing", async () => {
    const root = makeRoot(PROJECT);
    const engine = await open(root);
    const before = traces(root);
    const refused = await apply(engine, replace("src/add.ts", 2, "  return `${a + b}`;"));
    expect(refused.error).toMatchObject({ code: "TYPE_ERROR", file: "src/add.ts", patchId: expect.any(String) });
    expect(refused.error?.context?.lines).toContain("  return `${a + b}`;");
    expect(checkOf(refused)).toMatchObject({
      level: "fail",
      ok: false,
      findings: [
        {
          file: "src/add.ts",
          line: 2,
          column: 3,
          code: "TYPE_ERROR",
          message: "TS2322: Type 'string' is not assignable to type 'number'.",
        },
      ],
    });
    expect(traces(root)).toEqual(before);
    expect(engine.info().head.seq).toBe(0);
  });

  it("finds the error in a file that the batch does not touch", async () => {
    const engine = await open(makeRoot(PROJECT));
    const answer = await apply(engine, replace("src/add.ts", 1, "export function add(a: number, b: string): number {"));
    const places = checkOf(answer)?.findings.map(({ file, line }) => `${file}:${line}`);
    expect(places).toContain("src/use.ts:3");
  });

  it("passes a batch without new errors, and its patches say so", async () => {
    const engine = await open(makeRoot(PROJECT));
    const answer = await apply(engine, replace("src/use.ts", 3, "export const sum: number = add(2, 2);"));
    expect(answer.error).toBeUndefined();
    expect(checkOf(answer)).toMatchObject({ ok: true, findings: [] });
    expect(answer.entries[0]?.patches.map(({ ts_check_ok }) => ts_check_ok)).toEqual([true]);
  });

  it("does not run, and says so with null, where nobody asks or nothing has types", async () => {
    const engine = await open(makeRoot({ ...PROJECT, "README.md": "hello\n" }));
    const unasked = await apply(engine, {
      patches: [{ op: "append", file: "src/add.ts", block: "export const x: string = 1;" }],
    });
    expect(checkOf(unasked)).toMatchObject({ level: "off", ok: null });
    expect(unasked.entries[0]?.patches[0]?.ts_check_ok).toBeNull();
    const prose = await apply(engine, replace("README.md", 1, "hi"));
    expect(checkOf(prose)).toMatchObject({ level: "fail", ok: null });
    expect(prose.entries[0]?.patches[0]?.ts_check_ok).toBeNull();
    const bare = await open(makeRoot({ "a.js": "let a = 1;\n" }));
    expect(checkOf(await apply(bare, replace("a.js", 1, "let a = 2;")))).toMatchObject({ ok: null });
  });

  it("tolerates an old error, also where the batch moves it, and refuses one more of the same", async () => {
    const old = "export const wrong: number = 'x';\n";
    const root = makeRoot({ ...PROJECT, "src/old.ts": `${old}export const b = 2;\n` });
    const engine = await open(root);
    const moved = await apply(engine, {
      check: "types",
      patches: [{ op: "insert-before", file: "src/old.ts", line: 1, block: "export const a = 1;" }],
    });
    expect(moved.error).toBeUndefined();
    expect(moved.entries[0]?.patches[0]?.ts_check_ok).toBe(true);
    const again = await apply(engine, replace("src/old.ts", 3, "export const b: number = 'x';"));
    expect(again.error).toMatchObject({ code: "TYPE_ERROR", file: "src/old.ts" });
    expect(checkOf(again)?.findings.map(({ line }) => line)).toEqual([3]);
    // The old one made good and the same made elsewhere is new, though there are no more of them.
    const swapped = await apply(engine, {
      check: "types",
      patches: [
        { op: "replace-block", file: "src/old.ts", start: 2, end: 2, block: "export const wrong: number = 1;" },
        { op: "replace-block", file: "src/old.ts", start: 3, end: 3, block: "export const b: number = 'x';" },
      ],
    });
    expect(checkOf(swapped)?.findings.map(({ line }) => line)).toEqual([3]);
  });

  it("lets an old error be put right, or its line be rewritten without", async () => {
    const engine = await open(makeRoot({ ...PROJECT, "src/old.ts": "export const wrong: number = 'x';\n" }));
    const rewritten = await apply(engine, replace("src/old.ts", 1, "export const wrong: number = 'xyz';"));
    expect(rewritten.error).toBeUndefined();
    const fixed = await apply(engine, replace("src/old.ts", 1, "export const wrong: number = 1;"));
    expect(fixed.error).toBeUndefined();
    expect(fixed.entries[0]?.patches[0]?.ts_check_ok).toBe(true);
  });

  it("only reports where the request says so, and the patches tell", async () => {
    const root = makeRoot(PROJECT);
    const engine = await open(root);
    const answer = await apply(engine, replace("src/add.ts", 2, "  return '';", { onTypeErrors: "report" }));
    expect(answer.ok).toBe(true);
    expect(checkOf(answer)).toMatchObject({ level: "warn", ok: false, findings: [{ line: 2 }] });
    expect(answer.entries[0]?.patches[0]?.ts_check_ok).toBe(false);
    expect(read(root, "src/add.ts")).toContain("return '';");
  });

  it("follows the policy, which a request only tightens", async () => {
    const root = makeRoot(PROJECT);
    const engine = await open(root);
    const bad = replace("src/add.ts", 2, "  return '';");
    setPolicy(root, { gates: { types: "fail" } });
    expect((await apply(engine, { patches: bad.patches })).error?.code).toBe("TYPE_ERROR");
    expect((await apply(engine, { ...bad, onTypeErrors: "report" })).error?.code).toBe("TYPE_ERROR");
    expect((await apply(engine, { patches: bad.patches, gates: { types: "off" } })).error?.code).toBe("TYPE_ERROR");
    setPolicy(root, { gates: { types: "off" } });
    expect((await apply(engine, { patches: bad.patches, gates: { types: "fail" } })).error?.code).toBe("TYPE_ERROR");
    setPolicy(root, { gates: { types: "warn" } });
    expect((await apply(engine, { patches: bad.patches })).ok).toBe(true);
  });

  it("sees creations, deletions and renames as they will be", async () => {
    const engine = await open(makeRoot(PROJECT));
    const deleted = await apply(engine, { check: "types", patches: [{ op: "delete-file", file: "src/add.ts" }] });
    expect(checkOf(deleted)?.findings[0]).toMatchObject({ file: "src/use.ts", line: 1 });
    const renamed = { op: "rename-file", file: "src/add.ts", to: "src/sum.ts" };
    expect((await apply(engine, { check: "types", patches: [renamed] })).error?.code).toBe("TYPE_ERROR");
    const importing = {
      op: "replace-block",
      file: "src/use.ts",
      start: 1,
      end: 1,
      block: 'import { add } from "./sum";',
    };
    const created = { op: "create-file", file: "src/deep/new.ts", block: 'export { add } from "../sum";\n' };
    expect((await apply(engine, { check: "types", patches: [renamed, importing, created] })).error).toBeUndefined();
  });

  it("leaves nothing of its copy, and the real tree as it was", async () => {
    const root = makeRoot(PROJECT);
    const engine = await open(root);
    const { treeHash } = engine.info();
    const before = traces(root);
    const answer = await engine.apply({
      batch: replace("src/add.ts", 2, "  return b + a;"),
      simulate: true,
      door: "host",
    });
    expect(checkOf(answer)?.ok).toBe(true);
    expect(traces(root)).toEqual(before);
    expect(engine.info().treeHash).toBe(treeHash);
    expect(existsSync(join(root, ".mission_control/cache/types/tree"))).toBe(false);
  });

  it("runs a compiler once for a state that it has seen: what was applied is the next batch's baseline", async () => {
    const root = makeRoot({ ...PROJECT, "src/old.ts": "export const wrong: number = 'x';\n" });
    const log = join(makeRoot({ runs: "" }), "runs");
    // Counts its runs, then says what a compiler would.
    ownCompiler(
      root,
      `const { appendFileSync, readFileSync } = require("node:fs");
      appendFileSync(${JSON.stringify(log)}, "x");
      const lines = readFileSync("src/old.ts", "utf8").split("\\n");
      const at = lines.findIndex((line) => line.includes("wrong")) + 1;
      console.log("src/old.ts(" + at + ",14): error TS2322: Type 'string' is not assignable to type 'number'.");
      process.exitCode = 2;`,
    );
    const engine = await open(root);
    const runs = () => readFileSync(log, "utf8").length;
    const add = (n: number) => ({
      check: "types",
      patches: [{ op: "insert-before", file: "src/old.ts", line: 1, block: `export const n${n} = ${n};` }],
    });
    expect((await apply(engine, add(1))).error).toBeUndefined();
    expect(runs()).toBe(2);
    expect((await apply(engine, add(2))).error).toBeUndefined();
    expect(runs()).toBe(3);
    const dry = { ...add(3), dryRun: true };
    await apply(engine, dry);
    await apply(engine, dry);
    expect(runs()).toBe(4);
  });

  it("keeps what the compiler knows of the project from one run to the next", async () => {
    const root = makeRoot(PROJECT);
    const engine = await open(root);
    const buildInfo = () => {
      const cache = join(root, ".mission_control/cache/types");
      return readdirSync(cache).filter((name) => name.endsWith(".tsbuildinfo"));
    };
    await apply(engine, replace("src/use.ts", 3, "export const sum: number = add(2, 3);"));
    const first = buildInfo();
    expect(first).toHaveLength(1);
    const second = await apply(engine, replace("src/add.ts", 2, "  return '';"));
    expect(checkOf(second)?.findings).toHaveLength(1);
    expect(buildInfo()).toEqual(first);
    expect((await apply(engine, replace("src/add.ts", 2, "  return b + a;"))).error).toBeUndefined();
  });

  it("takes the project's own compiler before the engine's, without the engine's tokens", async () => {
    const root = makeRoot(PROJECT);
    ownCompiler(
      root,
      "console.log(`src/add.ts(1,1): error TS9999: ${process.argv.slice(2, 4)} ${process.env.ENGINE_TOKEN}`);",
    );
    const engine = await open(root);
    process.env.ENGINE_TOKEN = "token-of-the-engine";
    const answer = await apply(engine, replace("src/use.ts", 3, "export const sum = 3;", { onTypeErrors: "report" }));
    delete process.env.ENGINE_TOKEN;
    expect(checkOf(answer)).toMatchObject({ ok: true });
    ownCompiler(
      root,
      'const a = require("fs").readFileSync("src/add.ts","utf8"); if (a.includes("**")) console.log("src/add.ts(2,1): error TS9999: own " + process.env.ENGINE_TOKEN);',
    );
    const mine = await apply(engine, replace("src/add.ts", 2, "  return a ** b;"));
    expect(mine.error?.message).toBe("src/add.ts:2: TS9999: own undefined");
  });

  it("ends a compiler that does not end, with all it started, and calls the types neither good nor bad", async () => {
    const root = makeRoot(PROJECT);
    const pidFile = join(makeRoot({}), "pid");
    ownCompiler(
      root,
      `const c = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"], {stdio:"inherit"});
       require("fs").writeFileSync(${JSON.stringify(pidFile)}, String(c.pid)); setInterval(() => 0, 1000);`,
    );
    const engine = await open(root, { typesTimeoutMs: 1500 });
    const batch = replace("src/use.ts", 3, "export const sum = 3;");
    const refused = await apply(engine, batch);
    expect(refused.error).toMatchObject({ code: "CHECK_FAILED", nothingWritten: true });
    expect(refused.error?.message).toContain("did not end in time");
    const pid = readFileSync(pidFile, "utf8");
    // Gone, or a zombie that nobody has reaped.
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : ") Z";
    expect(stat).toContain(") Z");
    const reported = await apply(engine, { ...batch, onTypeErrors: "report" });
    expect(reported.ok).toBe(true);
    expect(checkOf(reported)).toMatchObject({ ok: null, findings: [{ code: "CHECK_FAILED" }] });
    expect(reported.entries[0]?.patches[0]?.ts_check_ok).toBeNull();
  });

  it("does not call types good that no compiler has looked at", async () => {
    const parsing = await open(makeRoot({ ...PROJECT, "src/broken.ts": "export const a = ;\n" }));
    const hidden = await apply(parsing, replace("src/add.ts", 2, "  return '';"));
    expect(hidden.error).toMatchObject({ code: "CHECK_FAILED" });
    expect(hidden.error?.message).toContain("src/broken.ts:1");
    const options = await open(makeRoot({ ...PROJECT, "tsconfig.json": TSCONFIG.replace('"preserve"', '"nonsense"') }));
    expect((await apply(options, replace("src/add.ts", 2, "  return b + a;"))).error?.code).toBe("CHECK_FAILED");
  });

  it("checks what a project only refers to, and every package of a workspace, through links between them", async () => {
    const referring = await open(
      makeRoot({
        ...PROJECT,
        "tsconfig.json": '{ "files": [], "references": [{ "path": "./tsconfig.app.json" }] } // x',
        "tsconfig.app.json": TSCONFIG,
      }),
    );
    expect((await apply(referring, replace("src/add.ts", 2, "  return '';"))).error?.code).toBe("TYPE_ERROR");

    const root = makeRoot({
      "packages/lib/package.json": '{"name":"lib","type":"module","exports":"./index.ts"}',
      "packages/lib/index.ts": "export const size: number = 1;\n",
      "packages/app/tsconfig.json": TSCONFIG,
      "packages/app/src/main.ts": 'import { size } from "lib";\nexport const n: number = size;\n',
      "node_modules/left/index.d.ts": "export const left: 1;\n",
    });
    mkdirSync(join(root, "packages/app/node_modules"));
    symlinkSync("../../lib", join(root, "packages/app/node_modules/lib"));
    const engine = await open(root);
    const before = tree(root);
    const answer = await apply(engine, replace("packages/lib/index.ts", 1, "export const size: string = '';"));
    expect(answer.error).toMatchObject({ code: "TYPE_ERROR", file: "packages/app/src/main.ts" });
    expect(tree(root)).toEqual(before);
    const fine = replace(
      "packages/app/src/main.ts",
      2,
      'import { left } from "left";\nexport const n: number = size + left;',
    );
    expect((await apply(engine, fine)).error).toBeUndefined();
  });

  it("makes nothing behind a symlinked cache", async () => {
    const elsewhere = makeRoot({});
    const root = makeRoot(PROJECT);
    const engine = await open(root);
    symlinkSync(elsewhere, join(root, ".mission_control/cache"));
    expect((await apply(engine, replace("src/add.ts", 2, "  return 1;"))).error?.code).toBe("CHECK_FAILED");
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it("is spared what another gate refuses", async () => {
    const root = makeRoot(PROJECT);
    writeFileSync(join(root, "marker"), "");
    ownCompiler(root, `require("fs").appendFileSync(${JSON.stringify(join(root, "marker"))}, "x")`);
    const engine = await open(root);
    const answer = await apply(engine, replace("src/add.ts", 2, "  return ;;)"));
    expect(answer.error?.code).toBe("SYNTAX_ERROR");
    expect(checkOf(answer)).toMatchObject({ level: "fail", ok: null, findings: [] });
    expect(read(root, "marker")).toBe("");
  });
});

describe("a project that leads out of its workspace", () => {
  const change = replace("src/add.ts", 2, "  return b + a;");
  const setUp = async (config: object) => {
    const outside = makeRoot({
      "base.json": '{"compilerOptions":{"strict":true}}',
      "o.ts": "const leak: 1 = 'told';\n",
    });
    const text = JSON.stringify(config).replaceAll("OUTSIDE", outside);
    const root = makeRoot({ ...PROJECT, "tsconfig.json": text });
    const before = tree(outside);
    const answer = await apply(await open(root), change);
    expect(tree(outside)).toEqual(before);
    return { outside, root, answer };
  };

  it.each([
    ["extends a file outside", { extends: "OUTSIDE/base.json" }],
    ["extends a file above", { extends: "../../base.json" }],
    ["extends one of several outside", { extends: ["./none.json", "OUTSIDE/base"] }],
    ["includes files outside", { include: ["src", "OUTSIDE/*.ts"] }],
    ["lists files above", { files: ["../o.ts"] }],
    ["takes types from outside", { compilerOptions: { typeRoots: ["../../types"] } }],
    ["maps names to outside", { compilerOptions: { baseUrl: ".", paths: { o: ["../o.ts"] } } }],
    ["refers to a project above", { references: [{ path: "../other" }], include: ["src"] }],
    ["has a trace written", { compilerOptions: { generateTrace: "OUTSIDE/trace" } }],
    ["has a profile written", { compilerOptions: { generateCpuProfile: "OUTSIDE/profile" } }],
  ])("is not given to a compiler: one that %s", async (_what, config) => {
    const { answer, outside } = await setUp(config);
    expect(answer.error).toMatchObject({ code: "CHECK_FAILED", nothingWritten: true });
    expect(answer.error?.message).toMatch(/leads out of the workspace|would write files/u);
    expect(answer.error?.message.replaceAll(outside, "")).not.toContain("told");
  });

  it("is none that extends a file which does so", async () => {
    const root = makeRoot({
      ...PROJECT,
      "tsconfig.json": '{ "extends": "./config/base" }',
      "config/base.json": '{ "compilerOptions": { "generateTrace": "../../trace" } }',
    });
    const answer = await apply(await open(root), change);
    expect(answer.error?.message).toContain('config/base.json: "generateTrace" would write files');
  });

  it("tells nothing of a file outside that a source imports", async () => {
    const outside = makeRoot({ "o.ts": "export const leak: 1 = 'told';\n" });
    const engine = await open(makeRoot(PROJECT));
    const answer = await apply(
      engine,
      replace("src/use.ts", 1, `import "${outside}/o";\nimport { add } from "./add";`),
    );
    expect(answer.error).toMatchObject({ code: "CHECK_FAILED" });
    expect(answer.error?.message).toContain("reads files outside of the workspace");
    expect(JSON.stringify(answer.outcome?.checks)).not.toContain("told");
  });

  it("loads no plugin that it names", async () => {
    const outside = makeRoot({});
    const config = { compilerOptions: { types: [], plugins: [{ name: "./evil.cjs" }] }, include: ["src"] };
    const evil = `require("node:fs").writeFileSync(${JSON.stringify(join(outside, "ran"))}, "");`;
    const root = makeRoot({ ...PROJECT, "tsconfig.json": JSON.stringify(config), "evil.cjs": evil });
    expect((await apply(await open(root), change)).error).toBeUndefined();
    expect(readdirSync(outside)).toEqual([]);
  });

  it("that cannot be read is not given to a compiler, which would forgive it", async () => {
    const root = makeRoot({
      ...PROJECT,
      "tsconfig.json": '{ "compilerOptions": { "generateTrace": "../trace" "x" } }',
    });
    expect((await apply(await open(root), change)).error?.message).toContain("tsconfig.json cannot be read");
  });

  it("still has its packages' errors told by where they are installed", async () => {
    const root = makeRoot({
      ...PROJECT,
      "tsconfig.json": TSCONFIG.replace('"skipLibCheck":true', '"skipLibCheck":false'),
      "node_modules/left/index.d.ts": "export const left: Missing;\n",
    });
    const answer = await apply(
      await open(root),
      replace("src/use.ts", 1, 'import "left";\nimport { add } from "./add";'),
    );
    expect(checkOf(answer)?.findings).toMatchObject([{ file: "node_modules/left/index.d.ts", line: 1 }]);
  });
});
