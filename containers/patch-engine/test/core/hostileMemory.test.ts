import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MAX_BATCH_BYTES } from "@shared/contracts";
import { HOSTILE } from "./hostileDiffs.ts";

const CHILD = fileURLToPath(new URL("planningChild.ts", import.meta.url));
const MB = 1 << 20;
/** What V8 lets its young generation grow to before it collects any of it (three semi-spaces), whatever is done. */
const YOUNG_BYTES = 3 * 16 * MB;

interface Measured {
  input: number;
  peak: number;
  cpuMs: number;
  code: string;
}

async function measure(name: string, size: number): Promise<Measured> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", CHILD, name, String(size)]);
  return JSON.parse(stdout) as Measured;
}

describe.each(Object.keys(HOSTILE))(
  "a hostile diff: %s",
  (name) => {
    it("takes less than ten times its size of memory, where it is as long as a batch may be", async () => {
      // Newlines are two bytes of JSON, and the file counts too.
      const { input, peak } = await measure(name, MAX_BATCH_BYTES / 2);
      expect(input).toBeGreaterThan(MAX_BATCH_BYTES / 2);
      expect(peak / input).toBeLessThan(10);
    });

    it("of a megabyte takes less than a second, and ten times its size beyond what V8 keeps anyway", async () => {
      const { input, peak, cpuMs } = await measure(name, MB);
      expect(cpuMs).toBeLessThan(1000);
      expect(peak).toBeLessThan(10 * input + YOUNG_BYTES);
    });
  },
  60_000,
);

it("a diff of more changes, or of more files, than a batch may have is refused", async () => {
  for (const name of [
    "hunks without context",
    "every other line replaced",
    "files without end",
    "other files without end",
  ]) {
    expect((await measure(name, MAX_BATCH_BYTES / 2)).code).toBe("DIFF_INVALID");
  }
  for (const name of ["as many changes as may be", "as many hunks as may be", "as many files as may be"]) {
    expect((await measure(name, MB)).code).toBe("applied");
  }
}, 60_000);
