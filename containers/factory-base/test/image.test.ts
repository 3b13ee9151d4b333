import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory, writeTree } from "./support/tree.ts";

const BUNDLE = join(import.meta.dirname, "../image/bundle.ts");

const node = (args: string[], cwd: string, input = "") =>
  new Promise<{ exit: number; stdout: string }>((resolve) => {
    const child = execFile(process.execPath, args, { cwd }, (_error, stdout) =>
      resolve({ exit: child.exitCode ?? -1, stdout }),
    );
    child.stdin?.end(input);
  });

test("the image's patchctl checks types with the compiler it brings", async () => {
  const out = join(await temporaryDirectory(), "out");
  expect(await node([BUNDLE, out], import.meta.dirname)).toMatchObject({ exit: 0 });
  const workspace = await temporaryDirectory();
  await writeTree(workspace, {
    ".git/HEAD": "",
    "a.ts": "export const a = [1].at(0);\n",
    "tsconfig.json": '{ "compilerOptions": { "strict": true, "noEmit": true, "types": [] } }',
  });
  const patches = (block: string) =>
    JSON.stringify({ check: "types", patches: [{ op: "append", file: "a.ts", block }] });
  const patchctl = [join(out, "patchctl/cli/patchctl.cjs"), "apply", "-"];
  const refused = await node(patchctl, workspace, patches("export const b: string = a;"));
  expect(refused).toMatchObject({ exit: 4, stdout: expect.stringContaining("TS2322") });
  const passed = await node(patchctl, workspace, patches("export const b: number | undefined = a;"));
  expect(passed).toMatchObject({ exit: 0 });
});
