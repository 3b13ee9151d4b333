import { expect, test } from "vitest";
import { boundedText } from "../boundedText.ts";

/** Never ends, and notes what was taken of it. */
function endless(chunk: string) {
  const taken = { chunks: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        taken.chunks += 1;
        controller.enqueue(new TextEncoder().encode(chunk));
      },
      cancel() {
        taken.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, taken };
}

test("a text of as many bytes as may be is read whole, however it is cut", async () => {
  const bytes = new TextEncoder().encode("naïve 👋");
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  expect(await boundedText({ body }, bytes.byteLength)).toBe("naïve 👋");
  expect(await boundedText({ body: null }, 0)).toBe("");
});

test("one that is longer is none, and no more of it is taken than shows that", async () => {
  const { body, taken } = endless("abcd");
  expect(await boundedText({ body }, 10)).toBeNull();
  expect(taken).toEqual({ chunks: 3, cancelled: true });
});
