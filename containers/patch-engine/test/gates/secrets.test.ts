import { describe, expect, it } from "vitest";
import { withCredentials } from "../../corpus/credentials.ts";
import { apply, makeRoot, open, read } from "../engine/tempWorkspace.ts";

const TOKEN = withCredentials("{{github-token}}", "secrets");
const KEY = withCredentials("{{pkcs8-key}}", "secrets");
const append = (file: string, block: string) => ({ op: "append", file, block });

async function edit(patches: object[], files: Record<string, string> = { "a.ts": "export const a = 1;\n" }) {
  const root = makeRoot(files);
  const answer = await apply(await open(root), { patches });
  return { root, answer };
}

describe("a credential that a batch brings in", () => {
  it("is refused with its place and kind, and nothing is written", async () => {
    const { root, answer } = await edit([append("a.ts", `export const token = "${TOKEN}";`)]);
    expect(answer.error).toMatchObject({ code: "SECRET_FOUND", file: "a.ts", nothingWritten: true });
    expect(answer.error?.message).toContain("a.ts:2: A credential (GitHub token");
    expect(read(root, "a.ts")).toBe("export const a = 1;\n");
  });

  it("is in no part of the answer, also where another gate shows its line", async () => {
    const { answer } = await edit([append("a.ts", `export const token = "${TOKEN}"; let x = ;`)]);
    const checks = answer.outcome?.checks.filter(({ ok }) => ok === false).map(({ name }) => name);
    expect(checks).toEqual(["syntax", "secrets"]);
    expect(JSON.stringify(answer)).not.toContain(TOKEN);
  });

  it("is in no part of the answer, line by line, where it is a key of many lines", async () => {
    const { answer } = await edit([append("a.ts", `export const key = \`${KEY}\`; let x = ;`)]);
    const said = JSON.stringify([answer.error, answer.outcome?.checks]);
    for (const line of KEY.split("\n").slice(1, -1)) expect(said).not.toContain(line);
  });

  it("is not hidden by a comment that switches a scanner off", async () => {
    const block = `// secretlint-disable\nexport const token = "${TOKEN}"; // gitleaks:allow`;
    expect((await edit([append("a.ts", block)])).answer.error?.code).toBe("SECRET_FOUND");
  });

  it("is found in any file, whatever its name", async () => {
    for (const file of ["notes", ".env", "a.bin.txt", "deep/er/x.lua"]) {
      const { answer } = await edit([append(file, `token ${TOKEN}\n`)]);
      expect(answer.error).toMatchObject({ code: "SECRET_FOUND", file });
    }
  });

  it("is found where a file is renamed as it is written", async () => {
    const { answer } = await edit([
      append("a.ts", `export const token = "${TOKEN}";`),
      { op: "rename-file", file: "a.ts", to: "b.ts" },
    ]);
    expect(answer.error).toMatchObject({ code: "SECRET_FOUND", file: "b.ts" });
  });
});

describe("a credential that stood there before", () => {
  const files = { "a.ts": `export const token = "${TOKEN}";\nexport const b = 2;\n`, "b.ts": "" };

  it("keeps no edit beside it from passing, may be moved and taken away", async () => {
    const beside = { op: "replace-block", file: "a.ts", start: 2, end: 2, block: "export const b = 3;" };
    expect((await edit([beside], files)).answer.error).toBeUndefined();
    const gone = { op: "replace-block", file: "a.ts", start: 1, end: 1, block: "" };
    const moved = [gone, append("b.ts", `export const token = "${TOKEN}";`)];
    expect((await edit(moved, files)).answer.error).toBeUndefined();
    expect((await edit([gone], files)).answer.error).toBeUndefined();
  });

  it("does not excuse another", async () => {
    const other = withCredentials("{{github-token}}", "another");
    const { answer } = await edit([append("a.ts", `export const c = "${other}";`)], files);
    expect(answer.error).toMatchObject({ code: "SECRET_FOUND", file: "a.ts" });
  });
});
