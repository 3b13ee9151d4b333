import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./repository.ts";

const SIGN = "# Installed by `npm run setup` of VibeHQ.";

// lint-staged hides what is not staged while it works, and brings it back, so that a partly staged file stays so.
const HOOK = `#!/bin/sh
${SIGN} Formats and lints what is staged; \`git commit --no-verify\` leaves it out.
root=$(git rev-parse --show-toplevel) || exit 1
bin="$root/node_modules/.bin"
[ -x "$bin/lint-staged" ] || { echo "pre-commit: run npm run setup first" >&2; exit 1; }
PATH="$bin:$PATH" exec "$bin/lint-staged" --cwd "$root" --quiet
`;

export type HookOutcome = "installed" | "present" | "foreign" | "linked" | "no repository";

/** Installs the pre-commit hook where git looks for it. A hook that someone else put there is left alone. */
export function installGitHook(root: string = ROOT): HookOutcome {
  if (!existsSync(path.join(root, ".git"))) return "no repository";
  // A linked working tree shares its hooks with all others: only the main one decides on them.
  if (!statSync(path.join(root, ".git")).isDirectory()) return "linked";
  const asked = spawnSync("git", ["rev-parse", "--git-path", "hooks/pre-commit"], { cwd: root, encoding: "utf8" });
  if (asked.status !== 0) return "no repository";
  const file = path.resolve(root, asked.stdout.trim());
  if (existsSync(file)) {
    const present = readFileSync(file, "utf8");
    if (present === HOOK) return "present";
    if (!present.includes(SIGN)) return "foreign";
  }
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, HOOK);
  chmodSync(file, 0o755);
  return "installed";
}
