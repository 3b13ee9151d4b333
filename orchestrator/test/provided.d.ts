import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The engine host of the run: the fault proxy before it, its control server, and a directory to open workspaces from. */
    engine: { url: string; spareUrl: string; control: string; source: string };
    /** What wrangler.jsonc says and a Worker cannot see. */
    wrangler: { crons: string[] };
  }
}
