import { existsSync, readFileSync } from "node:fs";
import { assert, json, property } from "fast-check";
import { describe, expect, it } from "vitest";
import type { PolicyFile, TasksFile } from "@shared/contracts";
import { jsonFault } from "../../gates/jsonFault.ts";
import { apply, makeRoot, open, read, tree, write } from "../engine/tempWorkspace.ts";

const TEN = Array.from({ length: 10 }, (_, at) => `line ${at + 1}\n`).join("");

const setPolicy = (root: string, policy: Partial<PolicyFile>) =>
  write(root, ".mission_control/policy.json", JSON.stringify(policy));

describe("task scope", () => {
  const tasks: TasksFile = {
    version: 1,
    orderId: "ORD-1",
    tasks: [
      {
        id: "T1",
        type: "fix",
        status: "open",
        allowed: [
          { files: "src/**/*.txt" },
          { files: "spans.txt", spans: [{ start: 3, end: 5 }] },
          { files: "only-append.txt", ops: ["append"] },
          { files: ".config/*" },
        ],
        maxChangedLines: 4,
      },
    ],
  };
  const setUp = async () => {
    const root = makeRoot({
      "src/deep/a.txt": TEN,
      "spans.txt": TEN,
      "only-append.txt": TEN,
      "other.txt": TEN,
      ".config/x": TEN,
    });
    const engine = await open(root);
    await engine.putTasks(tasks);
    return { root, engine };
  };
  const replace = (file: string, start: number, end: number) => ({
    op: "replace-block",
    file,
    start,
    end,
    block: "new",
    taskId: "T1",
  });

  it.each([
    ["a file of the task", replace("src/deep/a.txt", 1, 2)],
    ["a dot file of the task", replace(".config/x", 1, 1)],
    ["lines within a span", replace("spans.txt", 3, 5)],
    ["an insertion at a span's start", { op: "insert-before", file: "spans.txt", line: 3, block: "n", taskId: "T1" }],
    ["an insertion after a span's end", { op: "insert-after", file: "spans.txt", line: 5, block: "n", taskId: "T1" }],
    ["an operation of the task", { op: "append", file: "only-append.txt", block: "n", taskId: "T1" }],
    ["a patch without a task", { op: "append", file: "other.txt", block: "n" }],
    ["a move within the task", { op: "rename-file", file: "src/deep/a.txt", to: "src/b.txt", taskId: "T1" }],
  ])("lets %s through", async (_what, patch) => {
    const { engine } = await setUp();
    const answer = await apply(engine, { patches: [patch] });
    expect(answer.error).toBeUndefined();
  });

  it.each([
    ["another file", replace("other.txt", 1, 1)],
    ["lines outside a span", replace("spans.txt", 5, 6)],
    ["an insertion before a span", { op: "insert-before", file: "spans.txt", line: 2, block: "n", taskId: "T1" }],
    ["another operation", replace("only-append.txt", 1, 1)],
    ["more lines than the task may change", replace("src/deep/a.txt", 1, 5)],
    ["a move out of the task", { op: "rename-file", file: "src/deep/a.txt", to: "a.txt", taskId: "T1" }],
    ["a deletion where the task has spans", { op: "delete-file", file: "spans.txt", taskId: "T1" }],
  ])("refuses %s", async (_what, patch) => {
    const { root, engine } = await setUp();
    const before = tree(root);
    const answer = await apply(engine, { patches: [{ ...patch, id: "mine" }] });
    expect(answer.error).toMatchObject({ code: "TASK_SCOPE_VIOLATION", patchId: "mine" });
    expect(tree(root)).toEqual(before);
  });

  it("counts a task's changed lines over the whole batch", async () => {
    const { engine } = await setUp();
    const patches = [replace("src/deep/a.txt", 1, 3), replace("src/deep/a.txt", 5, 7)];
    expect((await apply(engine, { patches })).error?.code).toBe("TASK_SCOPE_VIOLATION");
  });

  it("refuses a task that is not there, or where no tasks are", async () => {
    const { engine } = await setUp();
    const patch = { ...replace("src/deep/a.txt", 1, 1), taskId: "T9" };
    expect((await apply(engine, { patches: [patch] })).error?.code).toBe("UNKNOWN_TASK");
    const bare = await open(makeRoot({ "src/deep/a.txt": TEN }));
    expect((await apply(bare, { patches: [patch] })).error?.code).toBe("UNKNOWN_TASK");
  });

  it("cannot be turned off", async () => {
    const { root, engine } = await setUp();
    setPolicy(root, { gates: { guardedRegions: "off", changeLimit: "off", syntax: "off" } });
    expect((await apply(engine, { patches: [replace("other.txt", 1, 1)], check: "none" })).ok).toBe(false);
  });
});

describe("guarded regions", () => {
  const GUARDED = "1\n2 @guard START keep\n3\n4 @guard END keep\n5\n";
  const setUp = async () => {
    const root = makeRoot({ "g.txt": GUARDED });
    return { root, engine: await open(root) };
  };

  it.each([
    { op: "replace-block", file: "g.txt", start: 3, end: 3, block: "x" },
    { op: "replace-block", file: "g.txt", start: 1, end: 2, block: "x" },
    { op: "replace-block", file: "g.txt", start: 4, end: 5, block: "" },
    { op: "insert-before", file: "g.txt", line: 3, block: "x" },
    { op: "insert-before", file: "g.txt", line: 4, block: "x" },
    { op: "search-replace", file: "g.txt", search: "3", replace: "x" },
    { op: "delete-file", file: "g.txt" },
  ])("are not touched by %o", async (patch) => {
    const { root, engine } = await setUp();
    const answer = await apply(engine, { patches: [patch] });
    expect(answer.error).toMatchObject({ code: "GUARDED_REGION", file: "g.txt" });
    expect(answer.error?.context?.lines).toContain("3");
    expect(read(root, "g.txt")).toBe(GUARDED);
  });

  it.each([
    { op: "insert-before", file: "g.txt", line: 2, block: "x" },
    { op: "insert-after", file: "g.txt", line: 4, block: "x" },
    { op: "replace-block", file: "g.txt", start: 1, end: 1, block: "x" },
    { op: "append", file: "g.txt", block: "x" },
  ])("do not keep others from %o", async (patch) => {
    const { engine } = await setUp();
    expect((await apply(engine, { patches: [patch] })).error).toBeUndefined();
  });

  it("that are never closed reach to the end of the file", async () => {
    const engine = await open(makeRoot({ "g.txt": "1\n@guard START x\n3\n" }));
    const patch = { op: "replace-block", file: "g.txt", start: 3, end: 3, block: "x" };
    expect((await apply(engine, { patches: [patch] })).error?.code).toBe("GUARDED_REGION");
  });

  it("only warn where the policy says so, and a request can make them fail again", async () => {
    const { root, engine } = await setUp();
    setPolicy(root, { gates: { guardedRegions: "warn" } });
    const patches = [{ op: "replace-block", file: "g.txt", start: 3, end: 3, block: "x" }];
    const strict = await apply(engine, { patches, gates: { guardedRegions: "fail" } });
    expect(strict.error?.code).toBe("GUARDED_REGION");
    const loose = await apply(engine, { patches, gates: { guardedRegions: "off" } });
    expect(loose.ok).toBe(true);
    const check = loose.outcome?.checks.find(({ name }) => name === "guardedRegions");
    expect(check).toMatchObject({ level: "warn", ok: false });
  });
});

describe("the change limit", () => {
  const replace = (end: number) => ({ op: "replace-block", file: "t.txt", start: 1, end, block: "x" });

  it("holds the stricter of policy and request", async () => {
    const root = makeRoot({ "t.txt": TEN });
    const engine = await open(root);
    setPolicy(root, { maxChangedPercent: 30 });
    const tried = async (end: number, maxChangedPercent: number) =>
      (await engine.apply({ batch: { patches: [replace(end)], maxChangedPercent }, simulate: true, door: "host" }))
        .error?.code ?? "ok";
    expect(await tried(3, 100)).toBe("ok");
    expect(await tried(4, 100)).toBe("CHANGE_LIMIT_EXCEEDED");
    expect(await tried(3, 20)).toBe("CHANGE_LIMIT_EXCEEDED");
    expect(await tried(2, 20)).toBe("ok");
  });

  it("of a request holds where the policy has turned the gate off, and says nothing of new files", async () => {
    const root = makeRoot({ "t.txt": TEN });
    const engine = await open(root);
    setPolicy(root, { gates: { changeLimit: "off" }, maxChangedPercent: 10 });
    expect((await apply(engine, { patches: [replace(9)], maxChangedPercent: 50 })).ok).toBe(false);
    expect((await apply(engine, { patches: [replace(9)] })).ok).toBe(true);
    const create = { op: "create-file", file: "new.txt", block: TEN };
    expect((await apply(engine, { patches: [create], maxChangedPercent: 1 })).ok).toBe(true);
  });
});

describe("the syntax gate", () => {
  const create = (file: string, block: string) => ({ patches: [{ op: "create-file", file, block }] });

  it.each([
    ["a.ts", "let x: number = ;\n", 1, 17],
    ["a.mts", "export const a = 1;\nexport const b = (;\n", 2, 19],
    ["a.tsx", "const a = <div>;\n", 1, undefined],
    ["a.js", "function () {}\n", 1, undefined],
    ["a.jsx", "const a = <p></b>;\n", 1, undefined],
    ["ü.ts", "const é = 'ü';\nconst b = ;\n", 2, 11],
    ["a.json", '{\n  "a": 1,\n  "b": ]\n}\n', 3, 8],
    ["b.json", '{"a": 1', 1, 8],
    ["a.yml", "a: 1\nb: [1, 2\nc: 3\n", undefined, undefined],
    ["a.yaml", "a: 'open\n", undefined, undefined],
  ])("refuses what does not parse: %s", async (file, block, line, column) => {
    const engine = await open(makeRoot({ "x.txt": "" }));
    const answer = await apply(engine, create(file, block));
    expect(answer.error).toMatchObject({ code: "SYNTAX_ERROR", file });
    const finding = answer.outcome?.checks.find(({ name }) => name === "syntax")?.findings[0];
    if (line !== undefined) expect(finding?.line).toBe(line);
    if (column !== undefined) expect(finding?.column).toBe(column);
  });

  it.each([
    ["a.ts", "const enum A { B }\nlet x = <T,>(y: T): T => y;\n"],
    ["a.d.ts", "declare const a: number;\n"],
    ["a.cjs", "with (module) { return; }\n"],
    ["a.mjs", "await import('x');\n"],
    ["a.js", "const a = <p/>;\n"],
    ["bom.ts", "\ufeffconst a = 1;\n"],
    ["bom.json", "\ufeff{}\n"],
    ["tsconfig.json", '{\n  // comments, "and"\n  "a": "// none", /* more */\n  "b": [1,],\n}\n'],
    ["a.yml", "---\na: &x 1\n---\nb: !Ref y\n"],
    ["a.md", "let x = ;\n"],
  ])("lets through what its readers accept: %s", async (file, block) => {
    const engine = await open(makeRoot({ "x.txt": "" }));
    expect((await apply(engine, create(file, block))).error).toBeUndefined();
  });

  it("counts only what the edit introduces", async () => {
    const root = makeRoot({ "old.ts": "const ok = 1;\nlet broken = ;\n", "old.json": "{ bad }\n" });
    const engine = await open(root);
    const insert = (file: string) => ({ patches: [{ op: "insert-before", file, line: 1, block: "\n" }] });
    expect((await apply(engine, insert("old.ts"))).error).toBeUndefined();
    expect((await apply(engine, insert("old.json"))).error).toBeUndefined();
    const worse = { patches: [{ op: "replace-block", file: "old.ts", start: 2, end: 2, block: "const ok = ;" }] };
    expect((await apply(engine, worse)).error?.code).toBe("SYNTAX_ERROR");
  });

  it("is turned off by a request only where the policy does not ask for it", async () => {
    const root = makeRoot({ "x.txt": "" });
    const engine = await open(root);
    setPolicy(root, { gates: { syntax: "fail" } });
    expect((await apply(engine, { ...create("a.ts", "let x = ;\n"), check: "none" })).ok).toBe(false);
    setPolicy(root, {});
    expect((await apply(engine, { ...create("a.ts", "let x = ;\n"), check: "none" })).ok).toBe(true);
  });

  it("lays a fault to the patch that landed there", async () => {
    const engine = await open(makeRoot({ "a.ts": "const a = 1;\nconst b = 2;\nconst c = 3;\n" }));
    const answer = await apply(engine, {
      patches: [
        { op: "replace-block", id: "good", file: "a.ts", start: 1, end: 1, block: "const a = 10;\nconst aa = 11;" },
        { op: "replace-block", id: "bad", file: "a.ts", start: 3, end: 3, block: "const c = ;" },
      ],
    });
    expect(answer.error).toMatchObject({ code: "SYNTAX_ERROR", patchId: "bad", context: { startLine: 1 } });
    expect(answer.outcome?.patches.map(({ error }) => error?.code)).toEqual(["BATCH_REFUSED", "SYNTAX_ERROR"]);
  });
});

describe("the place of a fault in JSON", () => {
  it.each([
    ["", 0],
    ["[1, 2", 5],
    ["[1,]", 3],
    ["{,}", 1],
    ['{"a" 1}', 5],
    ['{"a": 1 "b": 2}', 8],
    ["{a: 1}", 1],
    ["[01]", 2],
    ["[1] 2", 4],
    ['["\n"]', 1],
    ["[1}", 2],
    ["nul", 0],
    ['"\\x"', 0],
  ])("of %j is %d", (text, offset) => {
    expect(jsonFault(text)?.offset).toBe(offset);
    expect(() => void JSON.parse(text)).toThrow(/JSON/);
  });

  it("is nowhere in what the runtime parses", () => {
    assert(property(json(), (text) => jsonFault(text) === null));
    expect(jsonFault('{"\u2028\u007f": [1.5e-7, true, null, {}], "b": "\\u00e9"}')).toBeNull();
  });
});

describe("each outcome", () => {
  it("names every gate, and tells those that had nothing to look at from those that passed", async () => {
    const engine = await open(makeRoot({ "x.txt": "" }));
    const { outcome } = await apply(engine, { patches: [{ op: "append", file: "x.txt", block: "x" }] });
    expect(outcome?.checks.map(({ name, level, ok }) => [name, level, ok])).toEqual([
      ["taskScope", "fail", null],
      ["guardedRegions", "fail", true],
      ["changeLimit", "fail", null],
      ["syntax", "fail", null],
      ["omission", "fail", null],
      ["secrets", "fail", true],
      ["types", "off", null],
    ]);
  });
});

describe("a policy that cannot be read", () => {
  it.each(["{", "[]", '{"gates":{"syntax":"maybe"}}'])("refuses every batch: %s", async (text) => {
    const root = makeRoot({ "x.txt": "" });
    const engine = await open(root);
    write(root, ".mission_control/policy.json", text);
    const answer = await apply(engine, { patches: [{ op: "append", file: "x.txt", block: "x" }] });
    expect(answer.error?.code).toBe("VALIDATION_FAILED");
    expect(answer.error?.message).toContain("policy.json");
  });
});

describe("the workspace's own check", () => {
  const check = async (command: string[] | undefined, checkTimeoutMs = 60_000) => {
    const root = makeRoot({ "x.txt": "hello\n" });
    const engine = await open(root, { checkTimeoutMs });
    setPolicy(root, command ? { check: command } : {});
    return { root, result: (await engine.validate())[0]! };
  };
  const script = (code: string) => [process.execPath, "-e", code];

  it("runs in the root, without a shell", async () => {
    const code = "process.exit(require('fs').readFileSync('x.txt','utf8') === 'hello\\n' ? 0 : 1)";
    expect((await check(script(code))).result).toMatchObject({ name: "check", ok: true, findings: [] });
    expect(
      (await check([process.execPath, "-e", "process.exit(+(process.argv[1] !== '$HOME;id'))", "$HOME;id"])).result.ok,
    ).toBe(true);
  });

  it("that fails tells the last of its output, without paths of this machine", async () => {
    const { root, result } = await check(
      script("console.log('x'.repeat(1e6)); console.error('at', process.cwd()); process.exit(3)"),
    );
    expect(result.ok).toBe(false);
    const message = result.findings[0]!.message;
    expect(message).toContain("status 3");
    expect(message).toMatch(/at \.$/);
    expect(message).not.toContain(root);
    expect(message.length).toBeLessThan(20_000);
  });

  it("that does not end is ended, with all it started", async () => {
    const child = "setInterval(() => undefined, 1000)";
    const code = `const c = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], {stdio:'inherit'});
      console.log(c.pid); setInterval(() => undefined, 1000)`;
    const { result } = await check(script(code), 1500);
    expect(result.ok).toBe(false);
    const pid = Number(/\n([0-9]+)$/.exec(result.findings[0]!.message)?.[1]);
    expect(pid).toBeGreaterThan(0);
    // Gone, or a zombie that nobody has reaped.
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : ") Z";
    expect(stat).toContain(") Z");
  });

  it("sees no token of the engine's", async () => {
    process.env.ENGINE_TOKEN = "secret-token";
    const { result } = await check(script("process.exit(+('ENGINE_TOKEN' in process.env))"));
    delete process.env.ENGINE_TOKEN;
    expect(result.ok).toBe(true);
  });

  it("that is not there, or cannot start, says so", async () => {
    expect((await check(undefined)).result).toMatchObject({ ok: null, findings: [] });
    const { result } = await check(["no-such-program-anywhere"]);
    expect(result).toMatchObject({ ok: false, findings: [{ code: "CHECK_FAILED" }] });
  });
});
