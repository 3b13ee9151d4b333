/** UTF-16 units gathered before they are sent. */
const CHUNK = 32_768;

/**
 * Text as a stream of UTF-8, made as its reader takes it, so that no export is ever held in memory. It breaks off where
 * making the text throws.
 */
export function textStream(text: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      let chunk = "";
      while (chunk.length < CHUNK) {
        const next = await text.next();
        if (next.done) {
          if (chunk !== "") controller.enqueue(encoder.encode(chunk));
          return controller.close();
        }
        chunk += next.value;
      }
      controller.enqueue(encoder.encode(chunk));
    },
    async cancel() {
      await text.return(undefined);
    },
  });
}
