import path from "node:path";

/** A word that the shell takes as it is. */
const quoted = (word: string): string => (/^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** What a person reads once everything answers: where it is, how to sign in, and three things that work as they stand. */
export function guide(options: {
  url: string;
  token: string;
  engineUrl: string;
  data: string;
  github: boolean;
}): string {
  const { url, token, data } = options;
  const socket = `${url.replace("http", "ws")}/ws?room=all`;
  const listen = [
    `const socket = new WebSocket(${JSON.stringify(socket)}, { headers: { authorization: "Bearer ${token}" } });`,
    "socket.onmessage = (message) => console.log(message.data);",
  ].join(" ");
  const byHand = quoted(path.join(data, "by-hand"));
  return [
    "",
    `Mission Control     ${url}   (API page: ${url}/api/docs)`,
    `Sign in with        ${token}`,
    `Engine host         ${options.engineUrl}`,
    `Store and logs      ${data}`,
    `GitHub              ${options.github ? "as apps/core-github-api/.dev.vars says" : "not configured: docs/github.md says how"}`,
    "",
    "Three things to try, in another terminal in this folder:",
    "",
    "1. What the agents changed, newest first:",
    `   curl -s -H "Authorization: Bearer ${token}" "${url}/api/patches/logs?limit=5"`,
    "",
    "2. A patch by hand, reported to this orchestrator; the log above has it right after:",
    `   mkdir -p ${byHand} && VIBEHQ_WORKSPACE_ID=by-hand ORCHESTRATOR_URL=${url} ORCHESTRATOR_TOKEN=${token} node_modules/.bin/patchctl append --root ${byHand} --file notes.md --block "Hello, patch."`,
    "",
    "3. Every event, live (then repeat 2):",
    `   node_modules/.bin/node -e '${listen}'`,
    "",
    "Ctrl-C ends everything.",
  ].join("\n");
}
