import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { Header } from "tar";
import { expect, test } from "vitest";
import { readTarball, TarballError } from "../../archive/readTarball.ts";

/** A tarball of plain files, each as long as said, and the two empty blocks at its end. */
function tarball(files: Record<string, number>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, size]) => {
    const header = new Header({ path, size, mode: 0o644, type: "File" });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    return [block, Buffer.alloc(Math.ceil(size / 512) * 512, 97)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
const LIMIT = { maxBytes: 1e6 };
const open = (tar: Buffer): Readable => Readable.from([gzipSync(tar)]);

test("entries are taken one after the other, in their order", async () => {
  const said: string[] = [];
  await readTarball(open(tarball({ a: 3, b: 600 })), LIMIT, async (entry) => {
    said.push(`${entry.path} begins`);
    for await (const chunk of entry) said.push(`${entry.path} ${chunk.length}`);
    said.push(`${entry.path} ends`);
  });
  expect(said).toEqual(["a begins", "a 3", "a ends", "b begins", "b 600", "b ends"]);
});

test("what `take` refuses is what it throws, and nothing is taken after it", async () => {
  const taken: string[] = [];
  const read = readTarball(open(tarball({ a: 3, b: 3, c: 3 })), LIMIT, async (entry) => {
    taken.push(entry.path);
    entry.resume();
    if (entry.path === "b") throw new RangeError("not this one");
  });
  await expect(read).rejects.toThrow(new RangeError("not this one"));
  expect(taken).toEqual(["a", "b"]);
});

test("a refusal waits for what is being taken, and tells it to end", async () => {
  const cut = gzipSync(tarball({ a: 400_000 })).subarray(0, 300);
  let ended = false;
  const read = readTarball(Readable.from([cut]), LIMIT, async (entry, signal) => {
    entry.resume();
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => setImmediate(resolve));
    });
    ended = true;
  });
  await expect(read).rejects.toThrow(TarballError);
  expect(ended).toBe(true);
});

test("an entry whose bytes never come does not keep the refusal waiting", async () => {
  const cut = gzipSync(tarball({ a: 400_000, b: 400_000 })).subarray(0, 600);
  const read = readTarball(Readable.from([cut]), LIMIT, async (entry, signal) => {
    for await (const chunk of Readable.from(entry, { signal })) expect(chunk.length).toBeGreaterThan(0);
  });
  await expect(read).rejects.toThrow(TarballError);
});

test.each([
  ["no tarball", Buffer.from("nothing of the kind")],
  ["cut short", gzipSync(tarball({ a: 3 })).subarray(0, 20)],
  ["compressed twice", gzipSync(gzipSync(tarball({ a: 3 })))],
  ["more than it may be", gzipSync(tarball({ a: 2e6 }))],
])("what is %s is refused as such", async (_, bytes) => {
  const read = readTarball(Readable.from([bytes]), LIMIT, async (entry) => {
    entry.resume();
  });
  await expect(read).rejects.toThrow(TarballError);
});
