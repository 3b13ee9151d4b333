import { parseArgs, type ArgsDef } from "citty";
import type { Terminal } from "./terminal.ts";

/** A command line that does not say what to do. Shown with the verb's help at hand; exit 2. */
export class UsageError extends Error {}

/** One verb of `patchctl`. `run` answers with the exit code. */
export interface Verb {
  summary: string;
  args: ArgsDef;
  run(args: Arguments): Promise<number>;
}

/** A verb's parsed flags and positionals, by the names its definition gives them. */
export class Arguments {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;

  private constructor(values: Readonly<Record<string, unknown>>, positionals: readonly string[], terminal: Terminal) {
    this.#values = values;
    this.positionals = positionals;
    this.terminal = terminal;
  }

  static parse(raw: string[], definitions: ArgsDef, terminal: Terminal): Arguments {
    const known = new Set(Object.keys(definitions));
    const values: Record<string, unknown> = {};
    let parsed;
    try {
      parsed = parseArgs(raw, definitions);
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : "the command line cannot be read", {
        cause: error,
      });
    }
    for (const [name, value] of Object.entries(parsed)) {
      if (name === "_" || known.has(name)) values[name] = value;
      // The parser gives every dashed name its camel-case twin.
      else if (!known.has(name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`))) {
        throw new UsageError(`unknown option --${name}`);
      }
    }
    const expected = Object.entries(definitions).filter(([, definition]) => definition.type === "positional");
    const rest = parsed._;
    const many = expected.some(([name]) => name.endsWith("s"));
    if (!many && rest.length > expected.length) throw new UsageError(`unexpected argument ${rest[expected.length]}`);
    return new Arguments(values, rest, terminal);
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === "") throw new UsageError(`--${name} is missing`);
    return value;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** A whole number of at least `least`. */
  integer(name: string, least: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^[0-9]{1,15}$/u.test(value) || Number(value) < least) {
      throw new UsageError(`--${name} must be a whole number of at least ${least}, not ${JSON.stringify(value)}`);
    }
    return Number(value);
  }
}

/** What every verb takes. */
export const commonArgs = {
  root: {
    type: "string",
    valueHint: "dir",
    description: "The workspace. Default: the nearest parent directory with .mission_control or .git",
  },
  json: { type: "boolean", description: "Print JSON, also on a terminal" },
} as const satisfies ArgsDef;

/** What every verb that writes takes. */
export const writingArgs = {
  "batch-id": {
    type: "string",
    valueHint: "id",
    description: "Makes the edit idempotent: the same id is applied once",
  },
  requester: { type: "string", valueHint: "name", description: "Who asks for it. Default: agent" },
  reason: { type: "string", valueHint: "text", description: "Why" },
} as const satisfies ArgsDef;
