import { printCorpus } from "./gates/corpus.ts";
import { printRows } from "./engine/measure.ts";
import { measureTypesGate } from "./typesGate.ts";

/** `pnpm bench:gates`: what the gates find, and what the types gate costs. */
await printCorpus();
printRows("Types gate", await measureTypesGate());
