import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { EXIT } from "../exit.ts";
import { commonArgs, type Verb } from "../verb.ts";
import { withEngine } from "../workspace.ts";

export const mcp: Verb = {
  summary: "Serve the workspace to an agent as tools, by the Model Context Protocol on standard input and output",
  args: { ...commonArgs },
  async run(args) {
    const { StdioServerTransport } = await import("@modelcontextprotocol/sdk/server/stdio.js");
    const { serveMcp } = await import("../../serving/mcp.ts");
    const { terminal } = args;
    return withEngine(args, async (engine, root) => {
      const transport = new StdioServerTransport();
      // The transport does not notice that its client has gone; standard input ends then.
      await serveMcp(transport, once(process.stdin, "end"), {
        engine,
        mintId: randomUUID,
        applied: () => terminal.report(root),
      });
      return EXIT.done;
    });
  },
};
