import { closeSync, existsSync, readFileSync } from "node:fs";

/** What the host is handed at its start and must not show: `/proc` tells a process's first environment to its whole user. */
const SECRETS = ["ENGINE_TOKEN", "ORCHESTRATOR_TOKEN"] as const;
/** Names the descriptor that the secrets come by, `NAME=value` a line. */
const DESCRIPTOR = "ENGINE_SECRETS_FD";
const SHELL = "/bin/sh";

/**
 * A program of the POSIX shell that takes the secrets out of its environment, into a pipe, and becomes the program that its
 * arguments name: the same process, with descriptor 3 to read them from, once. The shell writes a here-document of this
 * size without a file and without another process.
 */
export const HANDS_OVER = [
  "exec 3<<SECRETS",
  ...SECRETS.map((name) => `${name}=$${name}`),
  "SECRETS",
  `unset ${SECRETS.join(" ")}`,
  `export ${DESCRIPTOR}=3`,
  'exec "$@"',
  "",
].join("\n");

type StartSecrets = Partial<Record<(typeof SECRETS)[number], string>>;

/**
 * The secrets this process was started with; its environment, as `/proc` shows it, holds them no more. Where it did, the
 * process starts itself anew without them, under the same id, and does not return from here. `areShown`: it could not (no
 * shell, an older Node), and they stay where they are.
 */
export function takeSecrets(): { secrets: StartSecrets; areShown: boolean } {
  const { env } = process;
  const descriptor = env[DESCRIPTOR];
  delete env[DESCRIPTOR];
  if (descriptor !== undefined) return { secrets: readSecrets(Number(descriptor)), areShown: false };

  const held = SECRETS.some((name) => env[name] !== undefined);
  if (held && process.execve !== undefined && existsSync(SHELL)) {
    const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    process.execve(SHELL, [SHELL, "-c", HANDS_OVER, SHELL, ...again], env);
  }
  const secrets: StartSecrets = {};
  for (const name of SECRETS) {
    if (env[name] !== undefined) secrets[name] = env[name];
    // Programs that the host starts (git, a workspace's check) must not inherit it.
    delete env[name];
  }
  return { secrets, areShown: held };
}

function readSecrets(descriptor: number): StartSecrets {
  const text = readFileSync(descriptor, "utf8");
  closeSync(descriptor);
  const lines = text.split("\n");
  return Object.fromEntries(
    SECRETS.flatMap((name) => {
      const value = lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}
