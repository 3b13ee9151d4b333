import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The local Cloudflare API of the run, with an account and a token of it. */
    cloudflare: { url: string; account: string; token: string };
  }
}
