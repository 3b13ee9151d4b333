import { expect, test } from "vitest";
import { createLogger, type LogLevel } from "../logger.ts";

function recorded(secrets: string[] = []) {
  const lines: { level: LogLevel; line: string }[] = [];
  const log = createLogger({
    secrets,
    now: () => new Date("2026-01-02T03:04:05.678Z"),
    write: (level, line) => lines.push({ level, line }),
  });
  return { log, lines };
}

test("a line is one JSON object with its time, level, message and the fields of its ancestors", () => {
  const { log, lines } = recorded();
  log.child({ requestId: "r1" }).warn("slow", { ms: 12 });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!.line)).toEqual({
    ts: "2026-01-02T03:04:05.678Z",
    level: "warn",
    message: "slow",
    requestId: "r1",
    ms: 12,
  });
});

test("a secret's value never appears: not in a message, a nested field, an error or under a telling name", () => {
  const { log, lines } = recorded(["s3cr3t-value"]);
  log.error("with s3cr3t-value", {
    nested: { list: ["s3cr3t-value!"] },
    error: new Error("s3cr3t-value again"),
    header: "Bearer abcdefghijkl",
    apiToken: "vhq_something",
    password: "short",
  });
  const { line } = lines[0]!;
  expect(line).not.toMatch(/s3cr3t|abcdefghijkl|vhq_something|"short"/);
  expect(line).toContain("again");
});

test("what refers to itself is cut off, not followed", () => {
  const { log, lines } = recorded();
  const ring: { self?: unknown } = {};
  ring.self = ring;
  log.info("ring", { ring });
  expect(lines[0]!.line).toContain("[…]");
});
