import { describe, expect, test } from "vitest";
import { Redactor } from "../../agent-runs/Redactor.ts";

const SECRET = "s3cr3t/Key+of=the~run";
const bytes = Buffer.from(SECRET);

const ENCODED: [string, string][] = [
  ["plain", SECRET],
  ["base64", bytes.toString("base64")],
  ["base64 for URLs", bytes.toString("base64url")],
  ["base64 one byte in", Buffer.concat([Buffer.from("x"), bytes, Buffer.from("yz")]).toString("base64")],
  ["base64 two bytes in", Buffer.concat([Buffer.from("xy"), bytes, Buffer.from("z")]).toString("base64")],
  ["hexadecimal", bytes.toString("hex")],
  ["percent-encoded", encodeURIComponent(SECRET)],
  ["wrapped", SECRET.replace("Key", "K\n  e\ny")],
  ["wrapped in JSON", JSON.stringify(`${SECRET.slice(0, 8)}\n${SECRET.slice(8)}`)],
];

/** Any six characters of what is left in a row, of the form they were in. */
const leaks = (form: string, text: string): boolean => {
  const squeezed = form.replaceAll(/\s|\\n/g, "");
  for (let at = 4; at + 10 < squeezed.length; at++) if (text.includes(squeezed.slice(at, at + 6))) return true;
  return false;
};

describe.each(ENCODED)("a secret that is %s", (_how, form) => {
  const text = `before ${form} after`;

  test("is cut out whole, and what stands around it stays", () => {
    const redactor = new Redactor([SECRET]);
    const cleaned = redactor.clean(text);
    expect(cleaned).toMatch(/^before .*\[redacted\].* after$/s);
    expect(leaks(form, cleaned)).toBe(false);
    expect(redactor.seen).toBe(true);
  });

  test("is cut out wherever the pieces end that it comes in", () => {
    for (let first = 0; first <= text.length; first++) {
      for (const second of [first, Math.min(first + 3, text.length)]) {
        const redactor = new Redactor([SECRET]);
        const stream = redactor.stream();
        const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        const out = pieces.map((piece) => stream.push(piece)).join("") + stream.end();
        expect(leaks(form, out), `${first}`).toBe(false);
        expect(out.startsWith("before ")).toBe(true);
        expect(out.endsWith(" after")).toBe(true);
      }
    }
  });
});

test("a text without a secret is told as it is, piece by piece", () => {
  const redactor = new Redactor([SECRET]);
  const text = "a line\nanother s3c and a third s3cr3t/Ke, and no more\n".repeat(50);
  const stream = redactor.stream();
  const pieces = text.match(/.{1,7}/gs) ?? [];
  expect(pieces.map((piece) => stream.push(piece)).join("") + stream.end()).toBe(text);
  expect(redactor.seen).toBe(false);
});

test("what may be the beginning of a secret is not held back without end", () => {
  const stream = new Redactor([SECRET]).stream();
  let told = stream.push(SECRET.slice(0, 6));
  for (let round = 0; round < 200; round++) told += stream.push(" ".repeat(1000));
  expect(told.length).toBeGreaterThan(100_000);
});
