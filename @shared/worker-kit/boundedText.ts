/** The text of a body, or null where it has more bytes than `maxBytes`: then what is left of it is not read. */
export async function boundedText(from: Pick<Response, "body">, maxBytes: number): Promise<string | null> {
  if (from.body === null) return "";
  const reader: ReadableStreamDefaultReader<Uint8Array> = from.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > maxBytes) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}
