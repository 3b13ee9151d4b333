import { execFile } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { BatchOutcomeSchema, LogEntrySchema, PatchEventSchema, VibeErrorSchema } from "@shared/contracts";
import { makeRoot, read, tree, write } from "../engine/tempWorkspace.ts";

const PATCHCTL = fileURLToPath(new URL("../../cli/patchctl.cjs", import.meta.url));

interface Ran {
  exit: number;
  json: Record<string, unknown>;
  stdout: string;
  stderr: string;
}

/** Runs patchctl as a shell would. */
function patchctl(cwd: string, args: string[], more: { input?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ran> {
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: process.env.HOME, ...more.env };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PATCHCTL, ...args], { cwd, env }, (_error, stdout, stderr) => {
      const json = stdout.startsWith("{") ? (JSON.parse(stdout) as Record<string, unknown>) : {};
      resolve({ exit: child.exitCode ?? -1, json, stdout, stderr });
    });
    child.stdin?.end(more.input ?? "");
  });
}

const workspace = (files: Record<string, string> = { "a.ts": "const a = 1;\nconst b = 2;\n" }): string => {
  const root = makeRoot(files);
  mkdirSync(join(root, ".git"));
  return root;
};

describe("the verbs", () => {
  it("edit a file each in its way, from any directory of the workspace", async () => {
    const root = workspace({
      "t.txt": "1\n2\n3\n",
      "m.txt": "a\n###FINAL_MILE_PROMPT__X###\nold\n###END_X###\nb\n",
      "sub/gone.txt": "x\n",
      "from.txt": "from file\n",
    });
    const commands = [
      ["replace-block", "--file", "t.txt", "--start", "2", "--end", "2", "--block", "two"],
      ["insert-before", "--file", "t.txt", "--line", "1", "--block", "zero"],
      ["insert-after", "--file", "t.txt", "--line", "4", "--block-file", "../from.txt"],
      ["append", "--file", "t.txt", "--block=--no-end"],
      ["prepend", "--file", "t.txt", "--block-file", "-"],
      ["search-replace", "--file", "t.txt", "--search", "zero", "--replace", "null"],
      ["replace-marker", "--file", "m.txt", "--marker", "X", "--block", "new"],
      ["create-file", "--file", "n/new.txt", "--block", "made\n"],
      ["rename-file", "--file", "n/new.txt", "--to", "moved.txt"],
      ["delete-file", "--file", "sub/gone.txt"],
    ];
    for (const command of commands) {
      const cwd = existsSync(join(root, "sub")) ? join(root, "sub") : root;
      const ran = await patchctl(cwd, command, { input: "from stdin\n" });
      expect(ran, command.join(" ")).toMatchObject({ exit: 0, stderr: "", json: { ok: true } });
      expect(BatchOutcomeSchema.parse(ran.json.outcome).status).toBe("applied");
    }
    const { "t.txt": t, "m.txt": m, "moved.txt": moved, ...rest } = tree(root);
    expect(t).toBe("from stdin\nnull\n1\ntwo\n3\nfrom file\n--no-end\n");
    expect(m).toBe("a\nnew\nb\n");
    expect(moved).toBe("made\n");
    expect(rest).toEqual({ ".git/": "", "from.txt": "from file\n" });
  }, 30_000);

  it("apply, show, list, verify and revert a batch, and read a blockFile for it", async () => {
    const root = workspace();
    write(root, "block.txt", "const b = 3;\n");
    const patch = { op: "replace-block", id: "mine", file: "a.ts", start: 2, end: 2, blockFile: "block.txt" };
    write(root, "batch.json", JSON.stringify({ batchId: "one", requester: "me", patches: [patch] }));

    const simulated = await patchctl(root, ["simulate", "batch.json"]);
    expect(simulated).toMatchObject({ exit: 0, json: { outcome: { status: "dry-run", safety: { score: 85 } } } });
    const checked = await patchctl(root, ["validate", "batch.json"]);
    expect(checked).toMatchObject({ exit: 0, json: { ok: true, problems: [] } });
    expect(read(root, "a.ts")).toContain("b = 2");

    const applied = await patchctl(root, ["apply", "batch.json"]);
    expect(applied.exit).toBe(0);
    expect(read(root, "a.ts")).toBe("const a = 1;\nconst b = 3;\n");
    const again = await patchctl(root, ["apply", "-"], { input: read(root, "batch.json") });
    expect(again.json).toEqual(applied.json);

    const shown = await patchctl(root, ["show", "mine"]);
    expect(shown.json).toMatchObject({ patch: { patch_id: "mine" }, entry: { seq: 1, requester: "me" } });
    expect((await patchctl(root, ["show", "one"])).json).toMatchObject({ entry: { batchId: "one" } });
    const listed = await patchctl(root, ["log"]);
    expect(LogEntrySchema.array().parse(listed.json.entries)).toHaveLength(1);
    expect((await patchctl(root, ["verify"])).json).toEqual({ ok: true, head: listed.json.head });
    const reverted = await patchctl(root, ["revert", "one", "--by", "batch"]);
    expect(reverted.exit).toBe(0);
    expect(read(root, "a.ts")).toBe("const a = 1;\nconst b = 2;\n");
  }, 30_000);

  it("list markers with where content belongs", async () => {
    const root = workspace({ "a.txt": "###FINAL_MILE_PROMPT__X###\n", "b.txt": "1\n" });
    const ran = await patchctl(root, ["markers", "a.txt", "b.txt", "c.txt"]);
    expect(ran.json.files).toMatchObject([
      { file: "a.txt", coordinates: { mode: "existing", span: { start: 1, end: 1 } } },
      { file: "b.txt", coordinates: { mode: "existing", insertBeforeLine: 2 } },
      { file: "c.txt", coordinates: { mode: "new" } },
    ]);
    expect((await patchctl(root, ["markers"])).json.files).toHaveLength(1);
  });
});

describe("the exit code", () => {
  const APPEND = { op: "append", file: "a.ts", block: "//" };
  const apply = (batch: unknown): [string[], string] => [["apply", "-"], JSON.stringify(batch)];

  it.each<[number, string, string, string[], string]>([
    [1, "a file that is not there", "FILE_NOT_FOUND", ["delete-file", "--file", "none.ts"], ""],
    [1, "a path that leads out", "PATH_INVALID", ["append", "--file", "../x", "--block", "x"], ""],
    [1, "what is not JSON", "MALFORMED_JSON", ["apply", "-"], "{"],
    [1, "what is not a batch", "VALIDATION_FAILED", ...apply({ patches: [{ op: "explode" }] })],
    [1, "a patch that is not there", "PATCH_NOT_FOUND", ["show", "none"], ""],
    [
      3,
      "stale text",
      "STALE_CONTENT",
      ["replace-block", "--file", "a.ts", "--start", "1", "--end", "1", "--block", "x", "--expect-text", "gone"],
      "",
    ],
    [
      3,
      "a text that is not there",
      "SEARCH_NOT_FOUND",
      ["search-replace", "--file", "a.ts", "--search", "zzz", "--replace", ""],
      "",
    ],
    [4, "a syntax error", "SYNTAX_ERROR", ["append", "--file", "a.ts", "--block", "let x = ;"], ""],
    [4, "an unknown task", "UNKNOWN_TASK", ["append", "--file", "a.ts", "--block", "//", "--task-id", "T"], ""],
    [4, "a change limit", "CHANGE_LIMIT_EXCEEDED", ...apply({ patches: [APPEND], maxChangedPercent: 1 })],
    [5, "a batch file that cannot be read", "IO_ERROR", ["apply", "none.json"], ""],
    [5, "a block file that cannot be read", "IO_ERROR", ["append", "--file", "a.ts", "--block-file", "none"], ""],
  ])("is %d for %s, and the error is JSON on stdout and text on stderr", async (exit, _what, code, args, input) => {
    const root = workspace();
    const before = tree(root);
    const ran = await patchctl(root, args, { input });
    expect(ran.exit).toBe(exit);
    expect(ran.json.ok).toBe(false);
    expect(VibeErrorSchema.parse(ran.json.error).code).toBe(code);
    expect(ran.stderr.length).toBeGreaterThan(0);
    expect(ran.stderr).not.toMatch(/\n +at /);
    expect(tree(root)).toEqual(before);
  });

  it("is 5 for a log that is damaged", async () => {
    const root = workspace();
    write(root, ".mission_control/log.jsonl", "{}\n{}\n");
    expect(await patchctl(root, ["verify"])).toMatchObject({ exit: 5, json: { error: { code: "LOG_CORRUPT" } } });
  });

  it.each([
    [[]],
    [["explode"]],
    [["append"]],
    [["append", "--file", "a.ts"]],
    [["append", "--file", "a.ts", "--block", "x", "--block-file", "y"]],
    [["append", "--file", "a.ts", "--block", "x", "--frob", "y"]],
    [["append", "--file", "a.ts", "--block", "x", "stray"]],
    [["replace-block", "--file", "a.ts", "--start", "0", "--end", "1", "--block", "x"]],
    [["replace-block", "--file", "a.ts", "--start", "2", "--end", "1", "--block", "x"]],
    [["insert-before", "--file", "a.ts", "--line", "one", "--block", "x"]],
    [["append", "--file", "a.ts", "--block", "x", "--check", "maybe"]],
    [["apply"]],
    [["verify", "--root", "/no/such/directory"]],
    [["revert", "x", "--by", "magic"]],
    [["flush"]],
  ])("is 2 for a command line that says nothing that can be done: %j", async (args) => {
    const ran = await patchctl(workspace(), args);
    expect(ran).toMatchObject({ exit: 2, stdout: "" });
    expect(ran.stderr).toContain("patchctl");
    expect(ran.stderr).not.toMatch(/\n +at /);
  });
});

describe("help", () => {
  it("names every verb, and each verb tells its options", async () => {
    const root = workspace();
    const { stdout, exit } = await patchctl(root, ["--help"]);
    expect(exit).toBe(0);
    const verbs = [...stdout.matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(([, verb]) => verb!);
    expect(verbs).toHaveLength(25);
    for (const verb of ["replace-block", "search-replace", "apply", "revert", "log", "flush"]) {
      expect(verbs).toContain(verb);
      const help = await patchctl(root, [verb, "--help"]);
      expect(help.exit).toBe(0);
      expect(help.stdout).toContain("--root");
    }
    expect(existsSync(join(root, ".mission_control"))).toBe(false);
  }, 20_000);
});

describe("reports to the orchestrator", () => {
  interface Report {
    workspaceId: string;
    events: unknown[];
    entries: unknown[];
  }

  /** An orchestrator that answers with the given statuses in turn, then with 200. */
  async function orchestrator(...statuses: number[]) {
    const reports: Report[] = [];
    const authorizations: (string | undefined)[] = [];
    let arrived: () => void = () => undefined;
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        authorizations.push(`${request.url} ${request.headers.authorization}`);
        const status = statuses.shift() ?? 200;
        if (status === 200) reports.push(JSON.parse(body) as Report);
        response.writeHead(status).end("{}");
        arrived();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const env = {
      ORCHESTRATOR_URL: `http://127.0.0.1:${port}`,
      ORCHESTRATOR_TOKEN: "t0ken",
      VIBEHQ_WORKSPACE_ID: "ws-1",
    };
    const nextRequest = () => new Promise<void>((resolve) => (arrived = resolve));
    return { env, reports, authorizations, nextRequest };
  }

  it("tell each entry once and in order, over refusals and with the cursor kept", async () => {
    const root = workspace();
    const { env, reports, authorizations } = await orchestrator(503);
    for (const id of ["p1", "p2"]) await patchctl(root, ["append", "--file", "a.ts", "--block", "//", "--id", id]);
    const refused = await patchctl(root, ["flush"], { env });
    expect(refused).toMatchObject({ exit: 5, json: { ok: false, reported: 0, cursor: 0 } });
    expect(await patchctl(root, ["flush"], { env })).toMatchObject({ exit: 0, json: { reported: 2, cursor: 2 } });
    await patchctl(root, ["revert", "p2"]);
    expect(await patchctl(root, ["flush"], { env })).toMatchObject({ exit: 0, json: { reported: 1, cursor: 3 } });
    expect(await patchctl(root, ["flush"], { env })).toMatchObject({ exit: 0, json: { reported: 0, cursor: 3 } });

    expect(authorizations[0]).toBe("/api/patches/events Bearer t0ken");
    expect(reports.map(({ workspaceId }) => workspaceId)).toEqual(["ws-1", "ws-1"]);
    const entries = LogEntrySchema.array().parse(reports.flatMap((report) => report.entries));
    expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const events = PatchEventSchema.array().parse(reports.flatMap((report) => report.events));
    expect(events.map(({ patch_id, event_type, log }) => [patch_id, event_type, log?.seq])).toEqual([
      ["p1", "patch_applied", 1],
      ["p2", "patch_applied", 2],
      ["p2", "patch_reverted", 3],
    ]);
  }, 30_000);

  it("name the order whose own workspace they are of", async () => {
    const root = workspace();
    const { env, reports } = await orchestrator();
    const own = { ...env, VIBEHQ_WORKSPACE_ID: "order:ORD-7" };
    await patchctl(root, ["append", "--file", "a.ts", "--block", "//"], {
      env: { VIBEHQ_WORKSPACE_ID: "order:ORD-7" },
    });
    await patchctl(root, ["flush"], { env: own });
    expect(reports.flatMap((report) => report.entries)).toMatchObject([{ orderId: "ORD-7" }]);
    expect(reports.flatMap((report) => report.events)).toMatchObject([{ meta: { orderId: "ORD-7" } }]);
  });

  it("are sent behind an edit's back, which needs no network", async () => {
    const root = workspace();
    const { env, reports, nextRequest } = await orchestrator();
    const told = nextRequest();
    const ran = await patchctl(root, ["append", "--file", "a.ts", "--block", "//"], { env });
    expect(ran.exit).toBe(0);
    await told;
    expect(reports[0]?.entries).toHaveLength(1);
    const nowhere = { ...env, ORCHESTRATOR_URL: "http://127.0.0.1:9" };
    expect((await patchctl(root, ["append", "--file", "a.ts", "--block", "//"], { env: nowhere })).exit).toBe(0);
  }, 20_000);
});

describe("import", () => {
  const reply =
    "Fixed:\n\n```diff\n--- a/a.ts\n+++ b/a.ts\n@@ -7,9 +7,9 @@\n-const a = 1;\n+const a = 10;\n const b = 2;\n```\n";

  it("prints the batch that a model's text means, which apply takes as it is", async () => {
    const root = workspace();
    const imported = await patchctl(root, ["import", "-", "--format", "udiff"], { input: reply });
    expect(imported).toMatchObject({ exit: 0, json: { patches: [{ op: "replace-block", file: "a.ts", start: 1 }] } });
    expect(read(root, "a.ts")).toBe("const a = 1;\nconst b = 2;\n");
    expect(await patchctl(root, ["apply", "-"], { input: imported.stdout })).toMatchObject({
      exit: 0,
      json: { ok: true },
    });
    expect(read(root, "a.ts")).toBe("const a = 10;\nconst b = 2;\n");
  });

  it("exits 1 with the line of what is not of the format, and 3 where the text has no certain place", async () => {
    const root = workspace({ "a.ts": "x\ny\nx\n" });
    expect(await patchctl(root, ["import"], { input: "I would rather not.\n" })).toMatchObject({
      exit: 1,
      json: { ok: false, error: { code: "IMPORT_INVALID", findings: [{ line: 1 }] } },
    });
    const input = "a.ts\n<<<<<<< SEARCH\nx\n=======\nz\n>>>>>>> REPLACE\n";
    expect(await patchctl(root, ["import"], { input })).toMatchObject({
      exit: 3,
      json: { error: { code: "AMBIGUOUS_LOCATION", candidates: [{ start: 1 }, { start: 3 }] } },
    });
  });
});

describe("a diff", () => {
  it("changes files, names and modes on disk, patch by patch in the log, and is undone by its batch", async () => {
    const root = workspace({ "a.ts": "const a = 1;\n", "old.ts": "export {};\n" });
    const before = tree(root);
    const diff = [
      "diff --git a/a.ts b/a.ts\nold mode 100644\nnew mode 100755\n--- a/a.ts\n+++ b/a.ts\n@@ -1 +1 @@\n-const a = 1;\n+const a = 2;\n",
      "diff --git a/old.ts b/new.ts\nsimilarity index 100%\nrename from old.ts\nrename to new.ts\n",
      "diff --git a/n.ts b/n.ts\nnew file mode 100644\n--- /dev/null\n+++ b/n.ts\n@@ -0,0 +1 @@\n+export {};\n",
    ].join("");
    const batch = { batchId: "B", patches: [{ op: "apply-diff", diff }] };
    const applied = await patchctl(root, ["apply", "-"], { input: JSON.stringify(batch) });
    expect(applied.stderr).toBe("");
    expect(BatchOutcomeSchema.parse(applied.json["outcome"]).patches).toMatchObject([
      { patch_id: "B.p1.1", op: "apply-diff", file: "a.ts" },
      { patch_id: "B.p1.2", op: "apply-diff", file: "old.ts" },
      { patch_id: "B.p1.3", op: "apply-diff", file: "n.ts" },
    ]);
    expect(read(root, "a.ts")).toBe("const a = 2;\n");
    expect(statSync(join(root, "a.ts")).mode & 0o111).not.toBe(0);
    expect(await patchctl(root, ["verify"])).toMatchObject({ exit: 0 });
    expect(await patchctl(root, ["revert", "B", "--by", "batch"])).toMatchObject({ exit: 0 });
    expect(tree(root)).toEqual(before);
    expect(statSync(join(root, "a.ts")).mode & 0o111).toBe(0);
  });
});
