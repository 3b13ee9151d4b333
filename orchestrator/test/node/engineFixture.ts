import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { startEngineHost, startFaultProxy, startGithubServer } from "@shared/testing";
import { parse } from "jsonc-parser";
import type { TestProject } from "vitest/node";
import { z } from "zod";
import { startAgentHost } from "./agentHost.ts";

/**
 * Runs once, in node, beside the tests in workerd: a real engine host behind a fault proxy, a local GitHub, and a small control server
 * for what workerd cannot do itself: run patchctl on a workspace, and take the host's disk away.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const sources = await mkdtemp(join(tmpdir(), "vibehq-sources-"));
  const source = join(sources, "sample");
  await mkdir(join(source, "src"), { recursive: true });
  await writeFile(
    join(source, "src/index.ts"),
    Array.from({ length: 200 }, (_, n) => `export const v${n} = ${n};\n`).join(""),
  );
  await writeFile(join(source, "README.md"), "# Sample\n");
  // The same tree with a check of its own, which passes once `v2` is 22.
  const checkedSource = join(sources, "checked");
  await cp(source, checkedSource, { recursive: true });
  await mkdir(join(checkedSource, ".mission_control"));
  await writeFile(
    join(checkedSource, ".mission_control/policy.json"),
    JSON.stringify({ check: ["grep", "-q", "v2 = 22;", "src/index.ts"] }),
  );
  const dataDir = await mkdtemp(join(tmpdir(), "vibehq-engine-"));
  const templates = {
    "agent-factory": fileURLToPath(new URL("../../../apps/agent-factory/template", import.meta.url)),
  };
  // A GitHub with one empty repository, which stands for the default; tests add their own below the same owner.
  const github = await startGithubServer();
  await github.run({ action: "addRepository", repository: "acme/default" });
  const { token: githubToken = "" } = await github.run({ action: "addToken", repositories: "all" });
  const start = (dataDir: string) =>
    startEngineHost({
      sourceRoots: [sources],
      templates,
      dataDir,
      env: { ENGINE_TOKEN: "engine-token-of-the-tests", ENGINE_PUSH_REMOTES: github.url },
    });
  const host = await start(dataDir);
  const proxy = await startFaultProxy(host.url);
  // The disk that is lost is another's: test files run side by side.
  const spareDir = await mkdtemp(join(tmpdir(), "vibehq-spare-"));
  let spare = await start(spareDir);
  const spareProxy = await startFaultProxy(spare.url);

  const agents = await startAgentHost(proxy.url);

  const rootOf = async (workspaceId: string): Promise<string> => {
    for (const root of [join(dataDir, "workspaces"), join(spareDir, "workspaces")]) {
      for (const name of await readdir(root).catch(() => [])) {
        const record = await readFile(join(root, name, ".mission_control/source.json"), "utf8").catch(() => "{}");
        if (JSON.parse(record).workspaceId === workspaceId) return join(root, name);
      }
    }
    throw new Error(`no workspace ${workspaceId}`);
  };
  const commands: Record<string, (input: { workspaceId: string; args: string[] }) => Promise<unknown>> = {
    /** patchctl on the workspace's directory, as an agent in its container runs it. */
    patchctl: async ({ workspaceId, args }) => {
      const root = await rootOf(workspaceId);
      return new Promise((resolve) => {
        execFile(patchctl, [...args, "--root", root, "--json"], (error, stdout, stderr) => {
          resolve({ code: error ? error.code : 0, stdout, stderr });
        });
      });
    },
    read: async ({ workspaceId, args: [file = ""] }) => ({
      content: await readFile(join(await rootOf(workspaceId), file), "utf8"),
    }),
    /** The spare host's disk vanishes: a new host, nothing on it. */
    loseSpareDisk: async () => {
      await spare.kill();
      await rm(join(spareDir, "workspaces"), { recursive: true, force: true });
      spare = await start(spareDir);
      spareProxy.retarget(spare.url);
      return {};
    },
  };
  const run = async (request: IncomingMessage): Promise<unknown> => {
    const command = commands[(request.url ?? "/").slice(1)];
    if (!command) throw new Error(`no command ${request.url}`);
    return command(JSON.parse((await buffer(request)).toString()));
  };
  const control = createServer((request, response) => {
    run(request).then(
      (answer) => response.end(JSON.stringify(answer)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => {
    control.listen(0, "127.0.0.1", resolve);
  });
  const address = control.address();
  if (address === null || typeof address === "string") throw new Error("the control server has no port");

  project.provide("engine", {
    url: proxy.url,
    spareUrl: spareProxy.url,
    control: `http://127.0.0.1:${address.port}`,
    source,
    checkedSource,
  });
  project.provide("agents", { url: agents.url });
  project.provide("github", { url: github.url, token: githubToken });
  project.provide("wrangler", { crons: await readCrons() });
  return async () => {
    control.close();
    agents.stop();
    await Promise.all([proxy.stop(), spareProxy.stop()]);
    await Promise.all([host.stop(), spare.stop(), github.stop()]);
    await rm(spareDir, { recursive: true, force: true });
    await rm(sources, { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
  };
}

const patchctl = fileURLToPath(new URL("../../../containers/patch-engine/cli/patchctl.ts", import.meta.url));

async function readCrons(): Promise<string[]> {
  const text = await readFile(new URL("../../wrangler.jsonc", import.meta.url), "utf8");
  const { triggers } = z.object({ triggers: z.object({ crons: z.array(z.string()) }) }).parse(parse(text));
  return triggers.crons;
}
