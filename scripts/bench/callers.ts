import { Agent, request } from "node:http";

/** One HTTP call over kept connections: little of what is measured should be the measuring. */
export function createCaller(options: { url: string; token?: string }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const { hostname, port } = new URL(options.url);
  const call = (path: string, body?: string, method = body === undefined ? "GET" : "POST"): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string> = {
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
      };
      const sent = request({ agent, hostname, port, path, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const status = response.statusCode ?? 0;
          if (status >= 400) reject(new Error(`${method} ${path} was answered with ${status}: ${text.slice(0, 500)}`));
          else resolve(text);
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  return { call, close: () => agent.destroy() };
}

/** Runs `each` over all of `items`, `callers` at a time, and answers with what each took, in milliseconds. */
export async function timed<T>(
  items: readonly T[],
  callers: number,
  each: (item: T) => Promise<unknown>,
): Promise<number[]> {
  const queue = [...items];
  const took: number[] = [];
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        const started = performance.now();
        await each(item);
        took.push(performance.now() - started);
      }
    }),
  );
  return took;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
