import { EXIT } from "../exit.ts";
import { print, printFailure } from "../print.ts";
import { commonArgs, type Verb } from "../verb.ts";
import { withEngine } from "../workspace.ts";

export const markers: Verb = {
  args: {
    files: { type: "positional", required: false, description: "Files, relative to the workspace. Default: all" },
    ...commonArgs,
  },
  run: (args) =>
    withEngine(args, async (engine) => {
      const found = await engine.markers(args.positionals.length > 0 ? [...args.positionals] : undefined);
      if (!found.ok) return printFailure(args, found.error);
      const { coordinatesOf } = await import("../../core/index.ts");
      const files = found.files.map((file) => ({ ...file, coordinates: coordinatesOf(file) }));
      const lines = files.flatMap((file) =>
        file.markers.map(({ name, span }) => `${file.file}:${span.start}-${span.end}  ${name}`),
      );
      print(args, { ok: true, files }, lines.length > 0 ? lines.join("\n") : "no markers");
      return EXIT.done;
    }),
};
