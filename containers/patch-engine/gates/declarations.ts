import type { TextFile } from "../core/index.ts";
import { lineIndex } from "./comments.ts";

/** A named declaration of a script: functions, classes, their members, types, and variables of a module. */
export interface Declaration {
  name: string;
  /** With the names of the classes it stands in. */
  qualified: string;
  /** 1-based, inclusive lines. */
  start: number;
  end: number;
  /** Its block body, where it has one. */
  body: { start: number; end: number; statements: number } | null;
}

interface Node {
  type: string;
  start: number;
  end: number;
}

const isNode = (value: unknown): value is Node & Record<string, unknown> =>
  typeof value === "object" &&
  value !== null &&
  "type" in value &&
  typeof value.type === "string" &&
  "start" in value &&
  typeof value.start === "number" &&
  "end" in value &&
  typeof value.end === "number";

function nameOf(value: unknown): string | null {
  if (!isNode(value) || typeof value.name !== "string") return null;
  if (value.type === "PrivateIdentifier") return `#${value.name}`;
  return value.type === "Identifier" ? value.name : null;
}

const NAMED: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "ClassDeclaration",
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "TSEnumDeclaration",
  "TSModuleDeclaration",
]);
const MEMBERS: ReadonlySet<string> = new Set(["MethodDefinition", "PropertyDefinition"]);

/** The declarations of a script; null where it does not parse. */
export async function declarationsOf(path: string, file: TextFile): Promise<Declaration[] | null> {
  const { parseSync } = await import("oxc-parser");
  const text = file.bytes.toString("utf8", file.bomLength);
  const lang = /\.[cm]?tsx?$/iu.test(path) ? (path.toLowerCase().endsWith("x") ? "tsx" : "ts") : "jsx";
  const parsed = parseSync(path, text, { lang });
  if (parsed.errors.length > 0) return null;
  const lines = lineIndex(text);

  const found: Declaration[] = [];
  const add = (name: string, scope: string, node: Node, holder: unknown) => {
    const body = blockOf(holder);
    found.push({
      name,
      qualified: `${scope}${name}`,
      start: lines.lineAt(node.start),
      end: lines.lineAt(node.end - 1),
      body: body && { start: lines.lineAt(body.start), end: lines.lineAt(body.end - 1), statements: body.statements },
    });
  };
  const visit = (value: unknown, scope: string, depth: number): void => {
    if (Array.isArray(value)) {
      for (const one of value) visit(one, scope, depth);
      return;
    }
    if (!isNode(value)) return;
    let inner = scope;
    let deeper = depth;
    if (NAMED.has(value.type)) {
      const name = nameOf(value.id);
      if (name !== null) add(name, scope, value, value);
      if (value.type === "ClassDeclaration" && name !== null) inner = `${scope}${name}.`;
      if (value.type === "FunctionDeclaration") deeper++;
    } else if (MEMBERS.has(value.type)) {
      const name = nameOf(value.key);
      if (name !== null) add(name, scope, value, value.value);
      deeper++;
    } else if (value.type === "VariableDeclarator") {
      const name = nameOf(value.id);
      // A function's own variables are its affair, unless they are functions themselves.
      if (name !== null && (depth === 0 || blockOf(value.init))) add(name, scope, value, value.init);
      deeper++;
    }
    for (const [key, child] of Object.entries(value)) if (key !== "id") visit(child, inner, deeper);
  };
  visit(parsed.program.body, "", 0);
  return found;
}

function blockOf(holder: unknown): (Node & { statements: number }) | null {
  if (!isNode(holder) || !isNode(holder.body)) return null;
  const { body } = holder;
  if (body.type !== "BlockStatement" && body.type !== "FunctionBody") return null;
  const statements = Array.isArray(body.body)
    ? body.body.length
    : Array.isArray(body.statements)
      ? body.statements.length
      : 0;
  return { type: body.type, start: body.start, end: body.end, statements };
}
