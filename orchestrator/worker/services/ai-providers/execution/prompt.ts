import type { Plan } from "./plan.ts";

/** The longest prompt, in characters; hosts take no more. */
const MAX_PROMPT = 190_000;

/** What a provider is asked to do. `addition` is what the attempt before taught, or what a person said. */
export function promptOf({ task, order, instructions }: Plan, addition: string | null): string {
  const places = task.allowed.map(({ files, spans, ops }) => {
    const lines = spans?.map(({ start, end }) => `${start}-${end}`).join(", ");
    return `- ${files}${lines === undefined ? "" : `, lines ${lines} only`}${ops === undefined ? "" : `, by ${ops.join(", ")} only`}`;
  });
  const parts = [
    `Task ${task.id} (${task.type}): ${task.title}`,
    `It is part of order ${order.id}: ${order.title}`,
    order.description,
    instructions === null ? "" : `Instructions:\n${instructions}`,
    `You may change only:\n${places.join("\n")}`,
    task.max_changed_lines === null ? "" : `Change at most ${task.max_changed_lines} lines.`,
    "Make the smallest change that does the task. Keep all code that it does not concern; never replace code by a comment that says it stays.",
    "Write no secrets into files. Do not commit: your changes are read from the working tree.",
    addition ?? "",
  ];
  return parts
    .filter((part) => part !== "")
    .join("\n\n")
    .slice(0, MAX_PROMPT)
    .toWellFormed();
}
