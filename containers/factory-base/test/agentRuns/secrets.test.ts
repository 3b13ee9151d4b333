import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hostWithAgent, KEY, leftOfRuns, runToEnd, textOf } from "../support/agents.ts";

const EDIT = "echo x >> src/a.ts";
/** The key as far as any part of it that tells something, in each encoding. */
const TRACES = [
  KEY,
  KEY.slice(4, 16),
  Buffer.from(KEY).toString("base64").slice(4, 24),
  Buffer.from(KEY).toString("hex").slice(8, 32),
];

describe("an agent that prints its key: redacted, and of its class", () => {
  test.each([
    ["as it is", 'echo "the key is $CURSOR_API_KEY!"'],
    ["on stderr", 'echo "$CURSOR_API_KEY" >&2'],
    ["with its whole environment", "env"],
    ["in two writes", 'printf %s "${CURSOR_API_KEY:0:9}"; sleep 0.3; printf "%s\\n" "${CURSOR_API_KEY:9}"'],
    ["one character a line", 'for ((i=0;i<${#CURSOR_API_KEY};i++)); do echo "${CURSOR_API_KEY:i:1}"; done'],
    ["in base64", 'printf %s "$CURSOR_API_KEY" | base64'],
    ["in base64 of more, wrapped", 'printf "key: %s and so on" "$CURSOR_API_KEY" | base64 -w 20'],
    ["in hexadecimal", 'printf %s "$CURSOR_API_KEY" | od -An -tx1'],
    [
      "in a URL",
      `node -e 'console.log("https://x.test/?k=" + [...process.env.CURSOR_API_KEY].map((c) => "%" + c.charCodeAt(0).toString(16)).join(""))'`,
    ],
    [
      "as what it says",
      `node -e 'console.log(JSON.stringify({type:"assistant",message:{content:[{type:"text",text:process.env.CURSOR_API_KEY}]}}))'`,
    ],
    [
      "as a command",
      `node -e 'console.log(JSON.stringify({type:"tool_call",call_id:"1",subtype:"started",tool_call:{shellToolCall:{args:{command:"echo "+process.env.CURSOR_API_KEY}}}}))'`,
    ],
    [
      "as its error",
      `node -e 'console.log(JSON.stringify({type:"result",is_error:true,result:"401 for "+process.env.CURSOR_API_KEY}))'`,
    ],
  ])("%s", async (_how, script) => {
    const host = await hostWithAgent(`${EDIT}; ${script}`);
    const { result, events } = await runToEnd(host);
    expect(result).toMatchObject({ class: "key-printed", diff: null, files: [] });
    const told = [textOf(events), textOf(events).replaceAll(/\s/g, ""), JSON.stringify(result), host.stderr()];
    const kept = Object.values(await leftOfRuns(host));
    for (const trace of TRACES) expect([...told, ...kept].filter((text) => text.includes(trace))).toEqual([]);
  });

  test("in its diff", async () => {
    for (const write of ["echo \"const k = '$CURSOR_API_KEY';\"", 'printf %s "$CURSOR_API_KEY" | base64']) {
      const host = await hostWithAgent(`${write} >> src/a.ts`);
      const { result } = await runToEnd(host);
      expect(result).toMatchObject({ class: "key-printed", diff: null, files: [] });
      for (const text of Object.values(await leftOfRuns(host))) expect(text).not.toContain(TRACES[1]);
    }
  });
});

test("another secret of the caller's is redacted as the key is", async () => {
  const secret = "another-secret-5521";
  const host = await hostWithAgent(`${EDIT}; echo "I found ${secret} in a file"`);
  const { result, events } = await runToEnd(host, { redact: [secret] });
  expect(result.class).toBe("key-printed");
  expect(textOf(events)).toContain("I found [redacted] in a file");
});

/** Tokens that nothing but this test's host was handed. */
const MARK = randomBytes(8).toString("hex");
const CANARIES = { ENGINE_TOKEN: `canary-${MARK}-engine`, ORCHESTRATOR_TOKEN: `canary-${MARK}-orchestrator` };

test("an agent of the host's own user finds its tokens in no process's environment or command line", async () => {
  const look = [
    "seen=0",
    "for p in /proc/[0-9]*; do",
    '  if text=$(tr "\\0" "\\n" <"$p/environ" 2>/dev/null); then seen=$((seen+1)); else continue; fi',
    '  line=$(tr "\\0" " " <"$p/cmdline" 2>/dev/null)',
    // In parts: the agent's own text is not what it looks for.
    `  case "$text $line" in *canary-"${MARK}"-*) echo "found one at $p: $line";; esac`,
    'done; echo "looked at $seen"; echo "of the host $(tr "\\0" "\\n" </proc/$PPID/environ | grep -c ^ENGINE_DATA=)"',
  ].join("\n");
  const host = await hostWithAgent(`${EDIT}; ${look}`, {
    env: { ...CANARIES, ORCHESTRATOR_URL: "http://127.0.0.1:1" },
  });
  const { result, events } = await runToEnd(host);
  const told = textOf(events);
  expect(told).not.toContain("found one");
  // It may look, and looked at the host too.
  expect(Number(/looked at (\d+)/.exec(told)?.[1])).toBeGreaterThan(2);
  expect(told).toContain("of the host 1");
  expect(result.class).toBe("change");
  // Nor does what is asked for by name show it: the host itself has it.
  expect(host.token).toBe(CANARIES.ENGINE_TOKEN);
  expect((await host.request("GET", "/v1/workspaces/nothing-here")).status).toBe(404);
});

test("the host's own tokens, however an agent came by them, are not told", async () => {
  const host = await hostWithAgent(`${EDIT}; echo "it is ${CANARIES.ENGINE_TOKEN}"`, { env: CANARIES });
  const { result, events } = await runToEnd(host);
  expect(result.class).toBe("key-printed");
  expect(textOf(events)).not.toContain(CANARIES.ENGINE_TOKEN);
});

test("what has the form of a credential is redacted, and the change stands", async () => {
  const token = ["ghp", "aB3dE6gH9j".repeat(4).slice(0, 36)].join("_");
  const host = await hostWithAgent(`${EDIT}; echo "token ${token}"`);
  const { result, events } = await runToEnd(host);
  expect(result.class).toBe("change");
  expect(textOf(events)).toContain("token [redacted]");
});

test("a run sees neither the host's token nor its environment", async () => {
  const host = await hostWithAgent("env | sort; echo x >> src/a.ts", { env: { SOME_SETTING: "of-the-host" } });
  const { events } = await runToEnd(host);
  expect(textOf(events)).not.toContain(host.token);
  expect(textOf(events)).not.toContain("of-the-host");
  expect(textOf(events)).not.toMatch(/^ENGINE_/m);
});
