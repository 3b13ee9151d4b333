import { printCorpus } from "./gates/corpus.ts";

/** `pnpm bench:gates`: what the omission and secrets gates find, and what they take for it wrongly. */
await printCorpus();
