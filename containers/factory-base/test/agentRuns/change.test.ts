import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostWithAgent, infoOf, leftOfRuns, runToEnd, WORKSPACE } from "../support/agents.ts";
import { answerOf, workspaceOf, workspacePath } from "../support/host.ts";
import { temporaryDirectory } from "../support/tree.ts";

const EDIT = "echo 'export const two = 2;' >> src/a.ts";

describe("an agent's change", () => {
  test("is one diff that the engine takes, and the workspace is as it was until then", async () => {
    const host = await hostWithAgent(
      `${EDIT}; mkdir src/new; echo 'hello' > 'src/new/ü file.txt'; rm src/b.ts; chmod +x src/a.ts`,
    );
    const before = await workspaceOf(host, WORKSPACE);
    const { result, info } = await runToEnd(host);
    expect(result).toMatchObject({ class: "change", exitCode: 0, signal: null });
    expect(result.files.map(({ path }) => path).toSorted()).toEqual(["src/a.ts", "src/b.ts", "src/new/ü file.txt"]);
    expect(info).toMatchObject({ cliVersion: "stub 1.2.3", base: { head: before.head, treeHash: before.treeHash } });
    expect(await workspaceOf(host, WORKSPACE)).toEqual(before);
    const batch = { patches: [{ op: "apply-diff", diff: result.diff }] };
    const applied = answerOf(await host.request("POST", workspacePath(WORKSPACE, "/batches"), { batch }));
    expect(applied).toMatchObject({ ok: true });
    const { body } = await host.request("GET", workspacePath(WORKSPACE, "/files/src/a.ts"));
    expect(body).toMatchObject({ file: { content: "export const one = 1;\nexport const two = 2;\n", mode: "100755" } });
  });

  test("is the same base commit for the same tree", async () => {
    const host = await hostWithAgent(EDIT);
    const [one, two] = [await runToEnd(host, { runId: "one" }), await runToEnd(host, { runId: "two" })];
    expect(one.info.base).toEqual(two.info.base);
  });

  test("holds what the agent committed by itself", async () => {
    const host = await hostWithAgent(
      `${EDIT}; git add -A && git commit -qm mine; echo x > c.txt; git log --oneline | wc -l`,
    );
    const { result } = await runToEnd(host);
    expect(result).toMatchObject({ class: "change", files: [{ path: "c.txt" }, { path: "src/a.ts" }] });
  });

  test("leaves out new files that are ignored, and holds those that the workspace has", async () => {
    const host = await hostWithAgent("echo more >> ignored/kept.txt; echo new > ignored/new.txt");
    const { result } = await runToEnd(host);
    expect(result.files).toEqual([{ path: "ignored/kept.txt", linesAdded: 1, linesRemoved: 0 }]);
  });

  test("is taken without the worktree's own git: hooks, config and monitors in it run for nobody", async () => {
    const witness = join(await temporaryDirectory(), "ran");
    const trap = join(await temporaryDirectory(), "trap");
    writeFileSync(trap, `#!/bin/sh\ntouch ${witness}\n`, { mode: 0o755 });
    const host = await hostWithAgent(`
      git config core.fsmonitor ${trap}; git config diff.external ${trap}; git config core.hooksPath "$PWD/hooks"
      git config filter.evil.clean ${trap}; git config diff.evil.textconv ${trap}
      echo '* filter=evil diff=evil text eol=crlf' > .gitattributes; echo '*' >> .git/info/exclude
      mkdir hooks; cp ${trap} hooks/pre-commit; cp ${trap} hooks/post-index-change
      ${EDIT}; rm -rf .git/objects; printf 'a\\r\\nb\\n' > crlf.txt`);
    const { result } = await runToEnd(host);
    expect(result.class).toBe("change");
    expect(result.files.map(({ path }) => path)).toContain("src/a.ts");
    expect(result.diff).toContain("+a\r\n+b\n");
    expect(existsSync(witness)).toBe(false);
  });

  test.each([
    ["a symbolic link", "ln -s /etc/passwd src/link", /symbolic link/],
    ["a file that became a link", "rm src/a.ts; ln -s b.ts src/a.ts", /symbolic link/],
    ["a binary file", "printf 'a\\0b' > src/blob", /binary/],
    [
      "a repository of its own",
      "git init -q inner; cd inner; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x",
      /repository/,
    ],
    ["text that is not UTF-8", "printf 'caf\\xe9\\n' > src/latin.txt", /UTF-8/],
    ["more than its bound", "seq 1 20000 > src/long.txt", /over 65536 bytes/],
  ])("is refused for %s, and nothing of it is told", async (_what, script, message) => {
    const host = await hostWithAgent(`${EDIT}; ${script}`);
    const { result } = await runToEnd(host, { limits: { diffBytes: 65_536 } });
    expect(result).toMatchObject({ class: "diff-refused", diff: null, files: [] });
    expect(result.message).toMatch(message);
  });

  test("of nothing is an empty diff, whatever the exit code says", async () => {
    const host = await hostWithAgent('echo done; exit "${VIBE_EXIT:-0}"');
    expect((await runToEnd(host)).result).toMatchObject({ class: "empty-diff", diff: null, exitCode: 0 });
    const failing = await hostWithAgent("exit 3");
    expect((await runToEnd(failing)).result).toMatchObject({ class: "agent-error", exitCode: 3 });
    const changing = await hostWithAgent(`${EDIT}; exit 3`);
    expect((await runToEnd(changing)).result).toMatchObject({ class: "change", exitCode: 3 });
  });

  test("made through the engine that is offered to the agent is part of the diff, and is counted", async () => {
    const host = await hostWithAgent(
      "patchctl append --file src/a.ts --block 'export const two = 2;' && echo y >> src/b.ts",
    );
    const { result } = await runToEnd(host);
    expect(result).toMatchObject({
      class: "change",
      engineBatches: 1,
      files: [{ path: "src/a.ts" }, { path: "src/b.ts" }],
    });
    expect((await workspaceOf(host, WORKSPACE)).head.seq).toBe(0);
  });

  test("leaves neither worktree nor home behind", async () => {
    const host = await hostWithAgent(`${EDIT}; mkdir -p locked/in; chmod 000 locked/in; echo x > $HOME/rest`);
    await runToEnd(host);
    expect(
      Object.keys(await leftOfRuns(host))
        .map((path) => path.replace(/^.*\//, ""))
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(["events.ndjson", "record.json"]);
    expect((await infoOf(host)).result?.class).toBe("change");
  });
});

test("a program that is not there is not installed", async () => {
  const host = await hostWithAgent("true", { env: { AGENT_PROGRAMS: "cursor=/nowhere/agent" } });
  expect((await runToEnd(host)).result).toMatchObject({ class: "not-installed" });
});

test("a result that the agent calls an error is one, also with exit 0 and half a change", async () => {
  const line = JSON.stringify({
    type: "result",
    subtype: "error",
    is_error: true,
    result: "429 rate limit, retry after 7 s",
  });
  const host = await hostWithAgent(`${EDIT}; echo '${line}'`);
  const { result } = await runToEnd(host);
  expect(result).toMatchObject({ class: "rate-limited", retryAfterMs: 7000, diff: null });
});
