import {
  FulfilPhaseSchema,
  PatchOperationSchema,
  type CreateOrderSchema,
  type FulfilPhase,
  type PatchOperation,
  type PatchOperationInput,
} from "@shared/contracts";
import type { z } from "zod";
import type { TemplateFiles } from "./template.ts";

/** Where the sample works: an order's id, and the folder its files stand in (with a slash at its end, or empty). */
export interface SamplePlace {
  orderId: string;
  folder: string;
}

type Tasks = NonNullable<z.input<typeof CreateOrderSchema>["tasks"]>;

const taskId = ({ orderId }: SamplePlace, name: string): string => `${orderId}.${name}`;
export const batchId = ({ orderId }: SamplePlace, name: string): string => `${orderId}.${name}`;
/** The patch whose line number was read before an earlier phase moved the line. */
export const stalePatchId = (place: SamplePlace): string => `${place.orderId}.stale`;
/** The sample's last patch, which is reverted and applied again. */
export const lastPatchId = (place: SamplePlace): string => `${place.orderId}.last`;

/** What each phase may touch: the engine refuses a patch outside its task. */
export const sampleTasks = (place: SamplePlace): Tasks => {
  const { folder } = place;
  const task = (name: string, type: Tasks[number]["type"], title: string, files: string[]): Tasks[number] => ({
    id: taskId(place, name),
    type,
    title,
    allowed: files.map((file) => ({ files: `${folder}${file}` })),
  });
  return [
    task("tools", "generate", "Tools that count and reverse words", [
      "src/tools.ts",
      "src/textTools.ts",
      "src/respond.ts",
    ]),
    task("memory", "refactor", "A longer memory, and transcripts of it", ["src/memory.ts", "src/respond.ts"]),
    task("tidy", "optimize", "Clearer names, nothing left over", ["src/**"]),
    ...(folder === "" ? [] : [task("seed", "generate", "The agent's first files", ["**"])]),
  ];
};

/** A repository of its own has no agent yet: its files are created first, in a folder that harms nothing. */
export const seedPhase = (place: SamplePlace, template: TemplateFiles): FulfilPhase =>
  phase(place, "seed", {
    patches: [...template.files].map(([file, block]) => ({ op: "create-file", file: `${place.folder}${file}`, block })),
  });

export const samplePhases = (place: SamplePlace, template: TemplateFiles): FulfilPhase[] => [
  toolsPhase(place),
  memoryPhase(place, template),
  tidyPhase(place, template),
];

const phase = (
  place: SamplePlace,
  name: string,
  work: { patches: PatchOperationInput[]; files?: Record<string, string>; review?: FulfilPhase["review"] },
): FulfilPhase => {
  const files = Object.entries(work.files ?? {}).map(([file, fileContents]) => ({
    filePath: `${place.folder}${file}`,
    fileContents,
    filePurpose: name,
  }));
  return FulfilPhaseSchema.parse({
    orderId: place.orderId,
    phase: name,
    batchId: batchId(place, name),
    taskId: taskId(place, name),
    patches: work.patches,
    ...(files.length > 0 ? { implementation: { files, deploymentNeeded: false, commands: [] } } : {}),
    ...(work.review ? { review: work.review } : {}),
    lastPhase: name === "tidy",
  });
};

/** A file and a marker's content as a model generates them, and two lines added by hand. */
const toolsPhase = (place: SamplePlace): FulfilPhase =>
  phase(place, "tools", {
    files: {
      "src/textTools.ts": `const wordsOf = (input: string): string[] => input.split(/\\s+/).filter((word) => word !== "");

/** How many words there are. */
export const countWords = (input: string): string => String(wordsOf(input).length);

/** The words from the last to the first. */
export const reverseWords = (input: string): string => wordsOf(input).toReversed().join(" ");
`,
      "src/tools.ts": `  { name: "count", description: "Counts the words", run: countWords },
  { name: "reverse", description: "Turns the words around", run: reverseWords },
`,
    },
    patches: [
      {
        op: "prepend",
        file: `${place.folder}src/tools.ts`,
        block: 'import { countWords, reverseWords } from "./textTools.ts";\n',
      },
      {
        op: "prepend",
        file: `${place.folder}src/respond.ts`,
        block: "// An answer is plain text: one string in, one string out.\n\n",
      },
    ],
  });

/**
 * Edits by line, each with the text it believes to stand there. The last was written from the file as it was before
 * the phase above: its line has moved, and the same text stands in two places.
 */
const memoryPhase = (place: SamplePlace, template: TemplateFiles): FulfilPhase => {
  const memory = `${place.folder}src/memory.ts`;
  const limit = template.line("src/memory.ts", "MAX_TURNS = ");
  const lastField = template.line("src/memory.ts", "at: string;");
  const stale = template.line("src/respond.ts", 'return "none"');
  return phase(place, "memory", {
    patches: [
      {
        op: "insert-before",
        file: memory,
        line: limit.line,
        block: "/** How many turns a history tells at most. */\n",
        expect: { text: limit.text },
      },
      {
        op: "replace-block",
        file: memory,
        start: limit.line,
        end: limit.line,
        block: limit.text.replace(/\d+/, "50"),
        expect: { text: limit.text },
      },
      {
        op: "insert-after",
        file: memory,
        line: lastField.line,
        block: "  /** The tool that answered, where one did. */\n  tool?: string;\n",
        expect: { text: lastField.text },
      },
      {
        op: "append",
        file: memory,
        block: `
/** One line a turn, for people. */
export function transcript(turns: readonly Turn[]): string {
  return turns.map(({ role, text }) => \`\${role}: \${text}\`).join("\\n");
}
`,
      },
      {
        op: "replace-block",
        id: stalePatchId(place),
        file: `${place.folder}src/respond.ts`,
        start: stale.line,
        end: stale.line,
        block: '  if (tools.length === 0) return "nothing yet";\n',
        expect: { text: stale.text },
      },
    ],
  });
};

/** A file generated anew as a whole, a review's finding, and files that get a better name or go. */
const tidyPhase = (place: SamplePlace, template: TemplateFiles): FulfilPhase => {
  const { folder } = place;
  const routes = template.text("src/routes.ts");
  return phase(place, "tidy", {
    files: {
      "src/routes.ts": routes.replace(
        "export function matchRoute",
        "/** The route of a request; null where it asks for nothing the agent has. */\nexport function matchRoute",
      ),
    },
    review: {
      dependenciesNotMet: [],
      issuesFound: true,
      frontendIssues: [],
      backendIssues: [],
      filesToFix: [
        {
          filePath: `${folder}src/tools.ts`,
          issues: ["replace `Says what it was told` with `Repeats what it was told`"],
          require_code_changes: true,
        },
      ],
      commands: [],
    },
    patches: [
      { op: "rename-file", file: `${folder}src/echo.ts`, to: `${folder}src/say.ts` },
      { op: "search-replace", file: `${folder}src/tools.ts`, search: '"./echo.ts"', replace: '"./say.ts"' },
      { op: "delete-file", file: `${folder}src/greeting.ts` },
      lastPatch(place),
    ],
  });
};

/** The patch that the sample reverts and applies again, under another id. */
export const lastPatch = (place: SamplePlace, id: string = lastPatchId(place)): PatchOperation =>
  PatchOperationSchema.parse({
    op: "search-replace",
    id,
    file: `${place.folder}src/respond.ts`,
    search: "I can do:",
    replace: "I can run:",
    taskId: taskId(place, "tidy"),
  });
