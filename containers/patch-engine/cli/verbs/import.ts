import type { ArgsDef } from "citty";
import { print, printFailure } from "../print.ts";
import { EXIT } from "../exit.ts";
import { commonArgs, type Verb } from "../verb.ts";
import { readInput, rootOf } from "../workspace.ts";

const importArgs = {
  text: { type: "positional", required: false, description: "What the model wrote: a file, or - for standard input" },
  format: {
    type: "enum",
    options: ["udiff", "search-replace", "apply-patch", "files", "edit-tool", "auto"],
    description: "The format it is in. Default: auto",
  },
  "max-rewrite": {
    type: "string",
    valueHint: "percent",
    description: "Flag a whole file of which more than this changes. Default: 50",
  },
  ...commonArgs,
} as const satisfies ArgsDef;

/** Prints the batch alone, so that it can be sent on to `patchctl apply -`; what was read generously, on stderr. */
export const importText: Verb = {
  summary: "Turn what a model wrote into a batch, and print it; writes nothing",
  args: importArgs,
  async run(args) {
    const input = readInput(args, args.text("text") ?? "-");
    if (!input.ok) return input.exit;
    const { IMPORT_FORMATS, importPatches } = await import("../../import/index.ts");
    const { Directory, readDiskFile } = await import("../../workspace/Directory.ts");
    const { TextFile } = await import("../../core/index.ts");
    const named = args.text("format");
    const format = IMPORT_FORMATS.find((one) => one === named) ?? "auto";
    const maxRewritePercent = args.integer("max-rewrite", 0);
    const root = Directory.root(rootOf(args));
    try {
      const result = importPatches(input.text, {
        format,
        readFile: (path) => {
          const read = readDiskFile(root, path);
          if (!read.ok) return read;
          const bytes = read.file?.snapshot.bytes;
          if (!bytes) return { ok: true, content: null };
          // Told by the same words as an edit of it.
          const text = TextFile.read(path, bytes);
          return text.ok ? { ok: true, content: text.text.bytes.toString() } : text;
        },
        ...(maxRewritePercent === undefined ? {} : { maxRewritePercent }),
      });
      if (!result.ok) return printFailure(args, result.error);
      const { batch, notes } = result.imported;
      for (const note of notes) args.terminal.err(`${note.code}: line ${note.line}: ${note.message}\n`);
      print(args, batch, JSON.stringify(batch, null, 2));
      return EXIT.done;
    } finally {
      root.close();
    }
  },
};
