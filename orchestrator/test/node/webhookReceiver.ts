import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

/** What a receiver has been sent on one of its paths, and whether its signature held. */
export interface Received {
  path: string;
  id: string;
  timestamp: string;
  signatures: string[];
  body: string;
  userAgent: string;
}

/**
 * A receiver of webhooks, in a process of its own. Its paths say how it behaves: `/ok/<name>` takes a message, `/fail/…`
 * answers 500, `/status/<code>/…` that code, `/hang/…` never answers, `/redirect/…` sends one on to `/ok/<name>`, `/slow/…`
 * asks for a pause. `GET /received/<name>` tells what came, `DELETE` forgets it, `GET /verify?secret=` says which messages a
 * secret has signed (as Standard Webhooks has it, written anew here).
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const received: (Received & { name: string })[] = [];
  const server = createServer((request, response) => {
    const address = new URL(request.url ?? "/", "http://receiver");
    const [kind = "", ...rest] = address.pathname.slice(1).split("/");
    const name = rest.at(-1) ?? "";
    const json = (value: unknown): void => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(value));
    };
    if (kind === "received") {
      return json(received.filter((each) => each.name === name));
    }
    if (kind === "verify") {
      const secret = Buffer.from((address.searchParams.get("secret") ?? "").replace("whsec_", ""), "base64");
      return json(received.filter((each) => each.name === name && isSigned(secret, each)).map(({ id }) => id));
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({
        name,
        path: address.pathname,
        id: String(request.headers["webhook-id"]),
        timestamp: String(request.headers["webhook-timestamp"]),
        signatures: String(request.headers["webhook-signature"]).split(" "),
        body: Buffer.concat(chunks).toString("utf8"),
        userAgent: String(request.headers["user-agent"]),
      });
      if (kind === "hang") return;
      if (kind === "redirect") response.writeHead(307, { location: `/ok/${name}` });
      else if (kind === "slow") response.writeHead(503, { "retry-after": "900" });
      else if (kind === "status") response.writeHead(Number(rest[0]));
      else response.writeHead(kind === "fail" ? 500 : 200);
      response.end(kind === "fail" ? "secret words of the receiver" : "");
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  project.provide("receiver", { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  return () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
}

function isSigned(secret: Buffer, { id, timestamp, body, signatures }: Received): boolean {
  const wanted = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest();
  return signatures.some((each) => {
    const [version, text = ""] = each.split(",");
    const given = Buffer.from(text, "base64");
    return version === "v1" && given.byteLength === wanted.byteLength && timingSafeEqual(given, wanted);
  });
}
