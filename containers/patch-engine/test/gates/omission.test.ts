import { describe, expect, it } from "vitest";
import { apply, makeRoot, open, read } from "../engine/tempWorkspace.ts";

const BOOK = `import { store } from "./store";

export const LIMIT = 10;

export function load(id: string): string {
  const text = store.get(id);
  return text.trim();
}

export const save = async (id: string, text: string): Promise<void> => {
  await store.put(id, text);
};

export class Book {
  #pages = 0;

  turn(): void {
    this.#pages++;
  }

  get pages(): number {
    return this.#pages;
  }
}

export interface Page {
  text: string;
}

export type Pages = Page[];

export enum Cover {
  Hard,
  Soft,
}
`;

const lineOf = (needle: string): number => BOOK.split("\n").findIndex((line) => line.includes(needle)) + 1;

async function edit(patches: object[], files: Record<string, string> = { "book.ts": BOOK }) {
  const root = makeRoot(files);
  const engine = await open(root);
  const answer = await apply(engine, { patches, check: "none" });
  const found = answer.outcome?.checks.find(({ name }) => name === "omission");
  return { root, answer, findings: found?.findings ?? [], ok: found?.ok };
}

const replaced = (from: string, to: string, block: string, file = "book.ts") => ({
  op: "replace-block",
  file,
  start: lineOf(from),
  end: lineOf(to),
  block,
});

describe("a declaration of which only a comment is left", () => {
  it.each([
    ["a function", "export function load", "return text.trim();", 1, "load"],
    ["a function in a variable", "export const save", "await store.put", 1, "save"],
    ["a constant", "export const LIMIT", "export const LIMIT", 0, "LIMIT"],
    ["a class, its members named", "export class Book", "return this.#pages;", 2, "Book, Book.pages, Book.turn"],
    ["a method", "turn(): void", "this.#pages++;", 1, "Book.turn"],
    ["a getter", "get pages()", "return this.#pages;", 1, "Book.pages"],
    ["an interface", "export interface Page", "text: string;", 1, "Page"],
    ["a type", "export type Pages", "export type Pages", 0, "Pages"],
    ["an enum", "export enum Cover", "Soft,", 1, "Cover"],
  ])("is refused and named: %s", async (_what, from, to, more, names) => {
    const patch = { ...replaced(from, to, "// loads and keeps things\n"), end: lineOf(to) + more };
    const { root, answer, findings } = await edit([patch]);
    expect(answer.error).toMatchObject({ code: "OMISSION_FOUND", file: "book.ts", nothingWritten: true });
    expect(findings).toMatchObject([{ line: lineOf(from), code: "OMISSION_FOUND" }]);
    for (const name of names.split(", ")) expect(findings[0]?.message).toContain(name);
    expect(answer.error?.context?.lines).toContain("// loads and keeps things");
    expect(read(root, "book.ts")).toBe(BOOK);
  });

  it.each([
    ["a function", "const text = store.get", "return text.trim();", "load"],
    ["a function in a variable", "await store.put", "await store.put", "save"],
    ["a method", "this.#pages++", "this.#pages++", "Book.turn"],
  ])("is refused where its body alone has gone: %s", async (_what, from, to, name) => {
    const { answer, findings } = await edit([replaced(from, to, "  // does what it did\n")]);
    expect(answer.error?.code).toBe("OMISSION_FOUND");
    expect(findings[0]?.message).toContain(`the body of ${name}`);
  });

  it("is refused where another class has one of the same name", async () => {
    const two =
      "class A {\n  get(): number {\n    return 1;\n  }\n}\n\nclass B {\n  get(): number {\n    return 2;\n  }\n}\n";
    const patch = { op: "replace-block", file: "two.ts", start: 2, end: 4, block: "  // gives one" };
    const { findings } = await edit([patch], { "two.ts": two });
    expect(findings[0]?.message).toContain("A.get");
  });

  it("is let go where nothing stands in its place", async () => {
    const patch = {
      ...replaced("export function load", "return text.trim();", ""),
      end: lineOf("return text.trim();") + 2,
    };
    expect((await edit([patch])).answer.error).toBeUndefined();
  });

  it.each([
    "// load() moved to loading.ts.",
    "// Removed: loading is the store's own affair now.",
    "// Replaced by store.load().",
  ])("is let go where the comment says that it is gone: %s", async (comment) => {
    const patch = {
      ...replaced("export function load", "return text.trim();", comment),
      end: lineOf("return text.trim();") + 1,
    };
    expect((await edit([patch])).answer.error).toBeUndefined();
  });

  it("is let go where the batch writes it elsewhere, in this file or another", async () => {
    const gone = {
      ...replaced("export function load", "return text.trim();", "// Loading."),
      end: lineOf("return text.trim();") + 1,
    };
    const body = "export function load(id: string): string {\n  return store.load(id);\n}\n";
    const here = await edit([gone, { op: "append", file: "book.ts", block: body }]);
    expect(here.answer.error).toBeUndefined();
    const there = await edit([gone, { op: "create-file", file: "loading.ts", block: body }]);
    expect(there.answer.error).toBeUndefined();
  });

  it("is let go where the comment belongs to the code below it", async () => {
    const patch = replaced("export const LIMIT", "export const LIMIT", "// Loads a page.\nexport const MOST = 20;");
    expect((await edit([patch])).answer.error).toBeUndefined();
  });

  it("is not looked for where the text does not parse, but a placeholder is", async () => {
    const broken = { "broken.ts": "function a( {\n  one();\n}\n" };
    const prose = { op: "replace-block", file: "broken.ts", start: 2, end: 2, block: "  // does one thing" };
    expect((await edit([prose], broken)).answer.error).toBeUndefined();
    const placeholder = { ...prose, block: "  // ... existing code ..." };
    expect((await edit([placeholder], broken)).answer.error?.code).toBe("OMISSION_FOUND");
  });
});

describe("a placeholder", () => {
  const OLD = "export function a() {\n  // ... existing code\n  return 1;\n}\n";

  it("that stood in the file before may stay, be moved and stand beside new code", async () => {
    const files = { "old.ts": OLD };
    const beside = {
      op: "replace-block",
      file: "old.ts",
      start: 2,
      end: 3,
      block: "  // ... existing code\n  return 2;",
    };
    expect((await edit([beside], files)).answer.error).toBeUndefined();
    const moved = {
      op: "replace-block",
      file: "old.ts",
      start: 1,
      end: 4,
      block: "// ... existing code\nexport const a = () => 1;",
    };
    expect((await edit([moved], files)).answer.error).toBeUndefined();
  });

  it("is new where there are more of it than before", async () => {
    const files = { "old.ts": OLD };
    const second = { op: "insert-before", file: "old.ts", line: 3, block: "  // ... existing code" };
    const { findings } = await edit([second], files);
    expect(findings.map(({ line }) => line)).toEqual([3]);
  });

  it("is found in each file of a batch, and each is told at once", async () => {
    const files = { "a.py": "def a():\n    one()\n    two()\n", "b.css": ".a {\n  color: red;\n  margin: 0;\n}\n" };
    const { findings, answer } = await edit(
      [
        { op: "replace-block", id: "py", file: "a.py", start: 2, end: 3, block: "    # ... rest unchanged" },
        { op: "replace-block", id: "css", file: "b.css", start: 2, end: 3, block: "  /* ... existing styles ... */" },
      ],
      files,
    );
    expect(findings.map(({ file, line }) => `${file}:${line}`)).toEqual(["a.py:2", "b.css:2"]);
    expect(answer.outcome?.patches.map(({ patch_id, error }) => [patch_id, error?.code])).toEqual([
      ["py", "OMISSION_FOUND"],
      ["css", "OMISSION_FOUND"],
    ]);
  });

  it("is no affair of files whose comments are not known", async () => {
    const { ok, answer } = await edit([{ op: "append", file: "notes.md", block: "// ... existing code" }], {
      "notes.md": "",
    });
    expect(answer.error).toBeUndefined();
    expect(ok).toBeNull();
  });

  it("is found in a file with a megabyte of other comments", async () => {
    const many = "// ... (n/a)\n".repeat(80_000);
    const { answer } = await edit([{ op: "append", file: "many.ts", block: "// ... existing code ..." }], {
      "many.ts": many,
    });
    expect(answer.error?.code).toBe("OMISSION_FOUND");
  });
});
