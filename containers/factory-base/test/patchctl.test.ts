import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { cp, lstat, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { openWorkspace, startHost, workspaceOf, type TestHost } from "./support/host.ts";
import { temporaryDirectory } from "./support/tree.ts";

const PATCHCTL = fileURLToPath(new URL("../../patch-engine/cli/patchctl.cjs", import.meta.url));

function patchctl(cwd: string, args: string[], input = "") {
  return new Promise<{ exit: number; stdout: string; stderr: string }>((resolve) => {
    const options = { cwd, env: { PATH: process.env.PATH, HOME: process.env.HOME } };
    const child = execFile(process.execPath, [PATCHCTL, ...args], options, (_error, stdout, stderr) =>
      resolve({ exit: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** How many command lines the host has carried out. */
const served = (host: TestHost): number => host.stderr().split('"message":"command line"').length - 1;

interface Opened {
  host: TestHost;
  source: string;
  /** The workspace's directory on the host's disk. */
  root: string;
  pointer: string;
}

async function opened(options: { dataDir?: string; source?: string } = {}): Promise<Opened> {
  const source = options.source ?? (await temporaryDirectory());
  await writeFile(join(source, "a.txt"), "one\n");
  const dataDir = options.dataDir ?? (await temporaryDirectory());
  const host = await startHost({ sourceRoots: [source], dataDir });
  await openWorkspace(host, "w", { kind: "path", path: source });
  const [name] = readdirSync(join(dataDir, "workspaces"));
  const root = join(dataDir, "workspaces", name!);
  return { host, source, root, pointer: join(root, ".mission_control", "host.json") };
}

const append = (text: string, ...more: string[]) => ["append", "--file", "a.txt", "--block", text, ...more];
const textOf = (root: string) => readFile(join(root, "a.txt"), "utf8");
const socketOf = async (pointer: string) => (JSON.parse(await readFile(pointer, "utf8")) as { socket: string }).socket;

describe("patchctl in a workspace that a host holds", () => {
  test("lets the host do the work, whose socket is the owner's alone", async () => {
    const { host, root, pointer } = await opened();
    await mkdir(join(root, "deep/er"), { recursive: true });
    const ran = await patchctl(join(root, "deep/er"), append("two", "--batch-id", "mine"));
    expect(ran).toMatchObject({ exit: 0, stderr: "" });
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: true, outcome: { status: "applied", workspaceId: "w" } });
    expect(served(host)).toBe(1);
    expect(await textOf(root)).toBe("one\ntwo\n");
    expect((await workspaceOf(host, "w")).head.seq).toBe(1);
    expect((await lstat(await socketOf(pointer))).mode & 0o777).toBe(0o600);
    expect((await lstat(pointer)).mode & 0o777).toBe(0o600);
  });

  test("answers through the host in the words it answers in alone: output, errors and exit codes", async () => {
    const { host, root, pointer } = await opened();
    const alone = await temporaryDirectory();
    await cp(root, alone, { recursive: true });
    await rm(join(alone, ".mission_control"), { recursive: true });
    await mkdir(join(alone, ".git"));
    const batch = JSON.stringify({
      batchId: "b",
      patches: [{ op: "append", id: "p", file: "a.txt", blockFile: "a.txt" }],
    });
    const commands: [args: string[], input?: string][] = [
      [["apply", "-"], batch],
      [["append", "--file", "a.txt", "--block-file", "-", "--batch-id", "c"], "from stdin\n"],
      [["show", "p"]],
      [["markers"]],
      [["apply", "-"], "{"],
      [["apply", "none.json"]],
      [["append"]],
      [["append", "--file", "../x", "--block", "x", "--batch-id", "d"]],
      [["revert", "none", "--batch-id", "e"]],
      [["replace-block", "--file", "a.txt", "--start", "1", "--end", "1", "--block", "x", "--expect-text", "gone"]],
      [["delete-file", "--root", ".", "--file", "a.txt", "--batch-id", "f"]],
    ];
    // Ids, hashes and times differ between any two workspaces.
    const told = (text: string) =>
      text
        .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "<id>")
        .replaceAll(/"(hash|treeHash|ts)":"[^"]*"/g, '"$1":0')
        .replaceAll(/"durationMs":\d+/g, '"durationMs":0')
        .replaceAll('"workspaceId":"default"', '"workspaceId":"w"');
    for (const [at, [args, input]] of commands.entries()) {
      const [through, own] = [await patchctl(root, args, input), await patchctl(alone, args, input)];
      expect(served(host), args.join(" ")).toBe(at + 1);
      expect(through.exit, args.join(" ")).toBe(own.exit);
      expect(told(through.stdout)).toBe(told(own.stdout));
      expect(told(through.stderr)).toBe(told(own.stderr));
    }
    expect(pointer).toContain(root);
  }, 60_000);

  test("does the work itself when the host has gone, and asks it again when it is back", async () => {
    const { host, source, root, pointer } = await opened();
    const socket = await socketOf(pointer);
    await host.kill();
    expect((await lstat(socket)).isSocket()).toBe(true);
    expect((await patchctl(root, append("two"))).exit).toBe(0);
    // Nothing has told the workspace of the new host: it listens where the old one did.
    const back = await startHost({ sourceRoots: [source], dataDir: host.dataDir });
    expect((await patchctl(root, append("three"))).exit).toBe(0);
    expect(served(back)).toBe(1);
    await back.stop();
    await expect(lstat(socket)).rejects.toThrow("ENOENT");
    expect((await patchctl(root, append("four"))).exit).toBe(0);
    expect(await textOf(root)).toBe("one\ntwo\nthree\nfour\n");
  });

  test("applies an edit once where the host did it and its answer was lost", async () => {
    const { host, root, pointer } = await opened();
    const real = await socketOf(pointer);
    const lossy = join(await temporaryDirectory(), "s");
    const server = createServer((client) => {
      const upstream = connect(real);
      client.pipe(upstream, { end: false });
      client.on("error", () => undefined);
      let answer = "";
      upstream.on("data", (chunk) => {
        // The receipt arrives; of the answer that follows it nothing does.
        if (answer === "") client.write('{"accepted":true}\n');
        answer += chunk.toString();
      });
      upstream.on("end", () => client.destroy());
    });
    const umask = process.umask(0o177);
    await new Promise<void>((resolve) => {
      server.listen(lossy, resolve);
      process.umask(umask);
    });
    onTestFinished(() => void server.close());
    await writeFile(pointer, JSON.stringify({ v: 1, socket: lossy, workspaceId: "w" }));

    for (const args of [append("two"), ["apply", "-"]]) {
      const input = JSON.stringify({ patches: [{ op: "append", file: "a.txt", block: "three" }] });
      const ran = await patchctl(root, args, input);
      expect(ran.exit).toBe(0);
    }
    expect(served(host)).toBe(2);
    expect(await textOf(root)).toBe("one\ntwo\nthree\n");
    const [entry] = JSON.parse((await patchctl(root, ["log"])).stdout).entries;
    expect((await patchctl(root, ["revert", entry.patches[0].patch_id])).exit).toBe(0);
    expect(await textOf(root)).toBe("one\nthree\n");
  });

  test("applies an edit once where the host hangs, and gets to it later", async () => {
    const { host, root } = await opened();
    host.signal("SIGSTOP");
    expect((await patchctl(root, append("two"))).exit).toBe(0);
    host.signal("SIGCONT");
    await host.logged('"message":"command line"');
    expect((await workspaceOf(host, "w")).head.seq).toBe(1);
    expect(await textOf(root)).toBe("one\ntwo\n");
  });

  test("edits the copy of a workspace, not the workspace whose pointer it has copied", async () => {
    const { host, root } = await opened();
    const copy = await temporaryDirectory();
    await cp(root, copy, { recursive: true });
    expect((await patchctl(copy, append("two"))).exit).toBe(0);
    expect((await patchctl(root, ["append", "--root", copy, "--file", "a.txt", "--block", "three"])).exit).toBe(0);
    expect(served(host)).toBe(0);
    expect(await textOf(copy)).toBe("one\ntwo\nthree\n");
    expect(await textOf(root)).toBe("one\n");
    await symlink(root, join(copy, "link"));
    expect((await patchctl(join(copy, "link"), append("linked"))).exit).toBe(0);
    expect(served(host)).toBe(1);
  });

  test.each([
    ["is no JSON", () => "{"],
    ["names nothing", () => "{}"],
    ["names what is no socket", (at: string) => JSON.stringify({ v: 1, socket: join(at, "a.txt"), workspaceId: "w" })],
    ["names what is not there", (at: string) => JSON.stringify({ v: 1, socket: join(at, "none"), workspaceId: "w" })],
  ])("does without a pointer that %s", async (_what, content) => {
    const { host, root, pointer } = await opened();
    await writeFile(pointer, content(root));
    expect((await patchctl(root, append("two"))).exit).toBe(0);
    expect(served(host)).toBe(0);
  });

  test("does not speak to a socket that others may listen on", async () => {
    const { root, pointer } = await opened();
    const open = join(await temporaryDirectory(), "s");
    let connections = 0;
    const server = createServer((client) => {
      connections += 1;
      client.destroy();
    });
    await new Promise<void>((resolve) => server.listen({ path: open, writableAll: true, readableAll: true }, resolve));
    onTestFinished(() => void server.close());
    await writeFile(pointer, JSON.stringify({ v: 1, socket: open, workspaceId: "w" }));
    expect((await patchctl(root, append("two"))).exit).toBe(0);
    expect(connections).toBe(0);
  });
});

describe("the host's socket", () => {
  test("is beside the workspaces, or where its path is short enough", async () => {
    const deep = join(await temporaryDirectory(), "d".repeat(90));
    await mkdir(deep);
    const { host, root, pointer } = await opened({ dataDir: deep });
    const socket = await socketOf(pointer);
    expect(Buffer.byteLength(socket)).toBeLessThan(104);
    expect((await lstat(join(socket, ".."))).mode & 0o077).toBe(0);
    expect((await patchctl(root, append("two"))).exit).toBe(0);
    expect(served(host)).toBe(1);
    await host.stop();
  });

  test.each([
    ["what is no JSON", "hello\n"],
    ["what is no request", "{}\n"],
    ["another's workspace", `${JSON.stringify(request({ workspaceId: "other" }))}\n`],
    ["another directory", `${JSON.stringify(request({ root: "/" }))}\n`],
    ["a verb that is not for it", `${JSON.stringify(request({ argv: ["serve", "--stdio"] }))}\n`],
  ])("refuses %s and goes on", async (_what, line) => {
    const { host, root, pointer } = await opened();
    const socket = await socketOf(pointer);
    const answer = await new Promise<string>((resolve) => {
      let received = "";
      const client = connect(socket, () => client.write(line.replaceAll("ROOT", root)));
      client.on("data", (chunk) => (received += chunk.toString()));
      client.on("close", () => resolve(received));
    });
    expect(answer).toBe('{"accepted":false}\n');
    expect((await patchctl(root, append("two"))).exit).toBe(0);
    expect(served(host)).toBe(1);
  });

  test("carries out the command lines of many at once, each once", async () => {
    const { host, root } = await opened();
    const texts = Array.from({ length: 12 }, (_, at) => `line ${at}`);
    const ran = await Promise.all(texts.map((text) => patchctl(root, append(text))));
    expect(ran.map(({ exit }) => exit)).toEqual(texts.map(() => 0));
    expect(served(host)).toBe(12);
    expect((await textOf(root)).split("\n").toSorted()).toEqual(["", "one", ...texts].toSorted());
  });
});

function request(over: object): object {
  const isTTY = false;
  const argv = append("x");
  return { v: 1, workspaceId: "w", root: "ROOT", argv, cwd: "/", isTTY, stdin: null, batchId: "b", ...over };
}
