import { delimiter, dirname, join } from "node:path";
import { RUN_MARK } from "./RunProcesses.ts";

/** What leads to the provider's service from where this host stands. */
const PASSED_ON = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "TZ",
];

/** The environment of a run, its agent's own variables aside: nothing of this host's but where its programs are. */
export function runEnvironment(home: string, mark: string, program: string): Record<string, string> {
  const path = [join(home, "bin"), dirname(process.execPath), dirname(program), process.env.PATH ?? ""];
  const environment: Record<string, string> = {
    PATH: path.filter((part) => part !== "").join(delimiter),
    HOME: home,
    TMPDIR: join(home, "tmp"),
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    COLORTERM: "truecolor",
    NO_COLOR: "1",
    USER: "agent",
    SHELL: "/bin/bash",
    [RUN_MARK]: mark,
  };
  for (const name of PASSED_ON) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
