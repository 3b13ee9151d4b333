import { AGENTS } from "./agents.ts";
import type { Behaviour } from "./Scripts.ts";

const CLIS = AGENTS.map(({ provider, version }) => ({ provider, version }));
const MODELS = [{ provider: "ai-gateway", version: null }] as const;
/** Those whose model the model server is, each with the version that is installed. */
export const PROVIDERS = [...CLIS, ...MODELS];
export type Tested = (typeof PROVIDERS)[number]["provider"];

export const BEFORE = "export const one = 1;";
export const AFTER = "export const one = 11;";

const blocks = (file: string, find: string, replace: string): string =>
  `${file}\n<<<<<<< SEARCH\n${find}\n=======\n${replace}\n>>>>>>> REPLACE\n`;
const edits = (provider: Tested, file: string, find: string, replace: string): Behaviour =>
  provider === "ai-gateway"
    ? { always: { kind: "text", text: blocks(file, find, replace) } }
    : { edit: { kind: "replace", file, find, replace }, made: replace };
/** Does the task of `placeOrder`. */
export const good = (provider: Tested): Behaviour => edits(provider, "src/a.ts", BEFORE, AFTER);
/** A file that the task does not name. */
export const outOfScope = (provider: Tested): Behaviour =>
  edits(provider, "src/b.ts", "export const two = 2;", "export const two = 22;");
