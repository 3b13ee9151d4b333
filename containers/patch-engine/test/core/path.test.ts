import { describe, expect, test } from "vitest";
import { checkPath } from "../../core/index.ts";

describe("workspace paths", () => {
  test.each([
    "a.ts",
    "src/deep/er/file.name.ts",
    ".github/workflows/ci.yml",
    ".gitignore",
    "a b/c d.ts",
    "ünï/日本/😀.ts",
    "con-fig.ts",
    "console.ts",
    "nul-l/x",
    "..hidden",
    "a..b",
    ".gitx/a",
    "missions/x",
    "x".repeat(255),
  ])("%j is one", (path) => expect(checkPath(path)).toBeNull());

  test.each([
    "",
    "/etc/passwd",
    "../up",
    "a/../b",
    "a/..",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "a\\b",
    "C:/x",
    "c:x",
    "a\0b",
    "a\nb",
    "a\u007fb",
    "a\u0085b",
    "con",
    "Aux.ts",
    "dir/NUL.txt",
    "com1",
    "LPT¹.x",
    "a./b",
    "a /b",
    "trailing.",
    "x".repeat(256),
    Array.from({ length: 300 }, () => "abcd").join("/"),
  ])("%j is none", (path) => expect(checkPath(path)).toMatchObject({ code: "PATH_INVALID" }));

  test.each([
    ".git",
    ".git/config",
    "a/.git/hooks/x",
    ".GIT/config",
    ".Git ",
    ".git.",
    ".git. . /x",
    ".git::$INDEX_ALLOCATION/x",
    ".git:stream",
    "git~1/config",
    ".g\u200cit/config",
    ".ｇｉｔ/config",
    ".mission_control/tasks.json",
    "a/.MISSION_CONTROL",
    ".mi\u017fsion_control/log.jsonl",
    ".mission_control ",
    "missio~1/x",
  ])("%j leads where only the host and git write", (path) =>
    expect(checkPath(path)).toMatchObject({ code: "PATH_FORBIDDEN" }),
  );

  test("a lone surrogate is named as such", () => {
    expect(checkPath("a\ud800")).toMatchObject({ code: "ILL_FORMED_UNICODE" });
  });
});
