/** The most an answer may have, in bytes: a full page of issues with the longest bodies stays below it. */
const MAX_BYTES = 10 * 1024 * 1024;

export class TooLarge extends Error {
  constructor() {
    super(`GitHub's answer is over ${MAX_BYTES} bytes`);
  }
}

/** `fetch` that reads an answer whole, up to a bound, and says how many bytes it had. */
export function boundedFetch(seen: { bytes: number }): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null || response.status === 304) return response;
    const reader = response.body.getReader();
    const chunks: Uint8Array[] = [];
    seen.bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      seen.bytes += value.byteLength;
      if (seen.bytes > MAX_BYTES) {
        await reader.cancel();
        throw new TooLarge();
      }
      chunks.push(value);
    }
    const headers = new Headers(response.headers);
    // Text by another name, which the runtime would warn of.
    if (headers.get("content-type")?.startsWith("application/vnd.github.diff")) {
      headers.set("content-type", "text/plain; charset=utf-8");
    }
    return new Response(Buffer.concat(chunks), { status: response.status, headers });
  };
}
