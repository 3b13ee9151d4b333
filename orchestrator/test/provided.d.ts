import type { JWK } from "jose";
import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The engine host of the run: the fault proxy before it, its control server, and a directory to open workspaces from. */
    engine: { url: string; spareUrl: string; control: string; source: string; checkedSource: string };
    /** An engine host whose CLI agents are scripted. */
    agents: { url: string };
    /** The local GitHub of the run, and the token by which core-github-api reaches it. */
    github: { url: string; token: string };
    /** A Cloudflare Access team: its address, two keys of its own, and a foreign one that bears a name of theirs. */
    access: { issuer: string; keys: { first: JWK; second: JWK; foreign: JWK } };
    /** Where the scripted servers of the providers answer. */
    providers: { model: string; jules: string };
    /** A receiver of webhooks; see webhookReceiver.ts for its paths. */
    receiver: { url: string };
    /** The local Cloudflare API, and an account and its token, by which core-cloudflare-api reaches it. */
    cloudflare: { url: string; account: string; token: string };
    /** What wrangler.jsonc says and a Worker cannot see. */
    wrangler: { crons: string[] };
  }
}
