import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../repository.ts";

const TEMPLATE = path.join(ROOT, "apps/agent-factory/template");

/** The template's files by their path in it: what the sample's agents have read when they write their patches. */
export class TemplateFiles {
  readonly files: ReadonlyMap<string, string>;

  constructor(files: ReadonlyMap<string, string>) {
    this.files = files;
  }

  static read(directory: string = TEMPLATE): TemplateFiles {
    const names = readdirSync(directory, { recursive: true, encoding: "utf8" })
      .map((name) => name.replaceAll(path.sep, "/"))
      .filter((name) => !/(?:^|\/)(?:node_modules|\.[^/]+)(?:\/|$)/.test(name))
      .filter((name) => statSync(path.join(directory, name)).isFile())
      .toSorted();
    return new TemplateFiles(new Map(names.map((name) => [name, readFileSync(path.join(directory, name), "utf8")])));
  }

  text(file: string): string {
    const text = this.files.get(file);
    if (text === undefined) throw new Error(`the template has no ${file}`);
    return text;
  }

  /** The first line that holds `part`: its 1-based number and its text. */
  line(file: string, part: string): { line: number; text: string } {
    const lines = this.text(file).split("\n");
    const at = lines.findIndex((text) => text.includes(part));
    const text = lines[at];
    if (text === undefined) throw new Error(`no line of ${file} holds ${part}`);
    return { line: at + 1, text };
  }
}
