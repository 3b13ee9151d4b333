import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { EngineAnswer, PatchBatchInput } from "@shared/contracts";
import { openEngine, type Engine, type OpenEngineOptions } from "../../index.ts";

/** A directory with these files, gone when the test ends. */
export function makeRoot(files: Record<string, string | Uint8Array>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "vibehq-engine-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) write(root, path, content);
  return root;
}

export function write(root: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

export const read = (root: string, path: string): string => readFileSync(join(root, path), "utf8");

/** Every file below the root but the engine's own, by path. */
export function tree(root: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    if (path.startsWith(".mission_control")) continue;
    if (entry.isFile()) files[path] = readFileSync(join(root, path), "utf8");
    else if (entry.isDirectory()) files[`${path}/`] = "";
  }
  return files;
}

let minted = 0;

/** An engine with its own clock and ids, closed when the test ends. */
export async function open(root: string, options: Partial<OpenEngineOptions> = {}): Promise<Engine> {
  const opened = await openEngine({
    root,
    workspaceId: "test",
    now: () => new Date("2026-11-21T00:00:00.000Z"),
    mintId: () => `minted-${++minted}`,
    ...options,
  });
  if (!opened.ok) throw new Error(`${opened.error.code}: ${opened.error.message}`);
  const { engine } = opened;
  onTestFinished(() => engine.close());
  return engine;
}

export const apply = (engine: Engine, batch: PatchBatchInput | object): Promise<EngineAnswer> =>
  engine.apply({ batch, door: "host" });
