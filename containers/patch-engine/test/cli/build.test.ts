import { execFile } from "node:child_process";
import { cpSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { buildPatchctl } from "../../build.ts";
import { withCredentials } from "../../corpus/credentials.ts";
import { makeRoot, read, write } from "../engine/tempWorkspace.ts";

const HERE = resolve(import.meta.dirname, "../..");
/** Stands for the sources. */
const SOURCE = "export const launch = async () => void process.stdout.write('the sources');\n";
const CLI = "containers/patch-engine/cli";

function run(root: string, cwd: string, args: string[]) {
  return new Promise<{ exit: number; stdout: string; stderr: string }>((settle) => {
    const program = [join(root, CLI, "patchctl.cjs"), ...args];
    const child = execFile(process.execPath, program, { cwd }, (_error, stdout, stderr) =>
      settle({ exit: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** The launcher and the build as they would stand in an image: without the sources. */
async function installed(): Promise<string> {
  await buildPatchctl();
  const root = makeRoot({ [`${CLI}/patchctl.cjs`]: read(HERE, "cli/patchctl.cjs") });
  cpSync(join(HERE, "dist"), join(root, "containers/patch-engine/dist"), { recursive: true });
  return root;
}

it("is kept while nothing it is made of has changed", async () => {
  await buildPatchctl();
  const before = statSync(join(HERE, "dist/patchctl/run.cjs")).ino;
  expect(await buildPatchctl()).toBe("kept");
  expect(statSync(join(HERE, "dist/patchctl/run.cjs")).ino).toBe(before);
});

it("edits without its sources", async () => {
  const root = await installed();
  const workspace = makeRoot({ "a.txt": "one\n" });
  mkdirSync(join(workspace, ".git"));
  const ran = await run(root, workspace, ["append", "--file", "a.txt", "--block", "two"]);
  expect(ran).toMatchObject({ exit: 0, stderr: "" });
  expect(read(workspace, "a.txt")).toBe("one\ntwo\n");
});

it("checks types and credentials as its sources do", async () => {
  const root = await installed();
  symlinkSync(join(HERE, "node_modules"), join(root, "containers/patch-engine/node_modules"));
  const compilerOptions = { strict: true, noEmit: true, types: [] };
  const workspace = makeRoot({ "a.ts": "export const a = 1;\n", "tsconfig.json": JSON.stringify({ compilerOptions }) });
  mkdirSync(join(workspace, ".git"));
  const wrong = { check: "types", patches: [{ op: "append", file: "a.ts", block: "export const b: string = a;" }] };
  write(workspace, "wrong.json", JSON.stringify(wrong));
  expect(await run(root, workspace, ["apply", "wrong.json"])).toMatchObject({
    exit: 4,
    stdout: expect.stringContaining("TS2322"),
  });
  const token = withCredentials("{{github-token}}", "build");
  const secret = await run(root, workspace, ["append", "--file", "a.ts", "--block", `// ${token}`]);
  expect(secret).toMatchObject({ exit: 4, stdout: expect.stringContaining("SECRET_FOUND") });
});

it("gives way to the sources when one of them has changed", async () => {
  const root = await installed();
  write(root, `${CLI}/launch.ts`, SOURCE);
  expect((await run(root, root, ["--help"])).stdout).toBe("the sources");
});

it("gives way to the sources when there is none", async () => {
  const root = makeRoot({ [`${CLI}/patchctl.cjs`]: read(HERE, "cli/patchctl.cjs"), [`${CLI}/launch.ts`]: SOURCE });
  expect((await run(root, root, ["--help"])).stdout).toBe("the sources");
});
