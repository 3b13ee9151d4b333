import { createServer } from "node:http";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import type { TestProject } from "vitest/node";

const CERTS = "/cdn-cgi/access/certs";

/** A Cloudflare Access team of the tests' own: it publishes its keys where a team does, and hands the tests the private ones. */
export default async function setup(project: TestProject): Promise<() => void> {
  const make = async (kid: string): Promise<{ publicKey: JWK; privateKey: JWK }> => {
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    return {
      publicKey: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" },
      privateKey: { ...(await exportJWK(privateKey)), kid },
    };
  };
  const [first, second, foreign] = await Promise.all([make("first"), make("second"), make("first")]);
  const server = createServer((request, response) => {
    const isKnown = request.url === CERTS;
    response.writeHead(isKnown ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isKnown ? { keys: [first.publicKey, second.publicKey] } : {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the team has no port");
  project.provide("access", {
    issuer: `http://127.0.0.1:${address.port}`,
    keys: { first: first.privateKey, second: second.privateKey, foreign: foreign.privateKey },
  });
  return () => void server.close();
}
