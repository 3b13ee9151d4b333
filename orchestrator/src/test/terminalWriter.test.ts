import { expect, test } from "vitest";
import { TerminalWriter } from "../lib/TerminalWriter.ts";
import { terminalText } from "../lib/terminalText.ts";

/** A terminal that parses when it is told to. */
class Slow {
  readonly written: string[] = [];
  #done: (() => void) | null = null;
  write(text: string, done: () => void): void {
    if (this.#done !== null) throw new Error("written to while it parses");
    this.written.push(text);
    this.#done = done;
  }
  get busy(): boolean {
    return this.#done !== null;
  }
  parse(): void {
    const done = this.#done;
    this.#done = null;
    done?.();
  }
}

test("a terminal that parses slowly is given one write at a time, what came meanwhile together and in order", () => {
  const slow = new Slow();
  const writer = new TerminalWriter(slow);
  for (let line = 0; line < 1_000; line += 1) void writer.write(`${line}\n`);
  expect(slow.written).toEqual(["0\n"]);
  while (slow.busy) slow.parse();
  expect(slow.written).toHaveLength(2);
  expect(slow.written.join("")).toBe(Array.from({ length: 1_000 }, (_, line) => `${line}\n`).join(""));
});

test("whoever writes waits while too much is pending, and goes on once it is parsed", async () => {
  const slow = new Slow();
  const writer = new TerminalWriter(slow);
  let written = 0;
  const feed = (async () => {
    for (let chunk = 0; chunk < 100; chunk += 1) {
      await writer.write("x".repeat(50_000));
      written += 1;
    }
  })();
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
  expect(written).toBeLessThan(15);
  expect(writer.pending).toBeLessThan(700_000);
  while (slow.busy) {
    slow.parse();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
  await feed;
  expect(slow.written.join("")).toHaveLength(5_000_000);
  expect(Math.max(...slow.written.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
});

test("a character of two halves is never cut in the middle", () => {
  const slow = new Slow();
  void new TerminalWriter(slow).write(`x${"😀".repeat(60_000)}`);
  while (slow.busy) slow.parse();
  expect(slow.written.every((text) => text.isWellFormed())).toBe(true);
});

test("closed, it lets go of whoever waits and writes no more", async () => {
  const slow = new Slow();
  const writer = new TerminalWriter(slow);
  const waiting = writer.write("x".repeat(2_000_000));
  writer.close();
  await waiting;
  slow.parse();
  expect(slow.written).toHaveLength(1);
});

test("a command shows its control characters and carries none out", () => {
  const text = terminalText({
    seq: 1,
    ts: "",
    type: "command_executing",
    command: "echo \u001B]52;c;aGk=\u0007 \u009B31m",
  });
  expect(text.replaceAll(/\p{Cc}\[[\d;]*m/gu, "")).toBe("$ echo ␛]52;c;aGk=␇ ␡31m\n");
});
