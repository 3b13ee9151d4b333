import { ClaimOpsIssueSchema, ListOpsIssuesSchema, type OpsIssue } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../context.ts";
import { claimIssue } from "../services/ops/claimIssue.ts";
import { listOpsIssues } from "../services/ops/listOpsIssues.ts";
import { fitting, type Tool, tool, written } from "./tool.ts";

const shape = ListOpsIssuesSchema.shape;

/** What scans of logs found, for agents that mend it. */
export function getOpsTools(ctx: ServiceContext): readonly Tool[] {
  return [
    tool({
      name: "listOpsIssues",
      description:
        "List what scans of logs found, newest first, each with the prompt to mend it. The next cursor leads on.",
      scope: "ops:read",
      readOnly: true,
      inputSchema: z.object({
        status: shape.status,
        kind: shape.kind,
        severity: z.number().int().min(1).max(5).optional().describe("This grave or graver; 1 is the gravest"),
        limit: z.number().int().min(1).max(20).default(10),
        cursor: shape.cursor,
      }),
      call: async (input) => {
        const listed = await listOpsIssues(ctx, input);
        return listed.ok
          ? { ok: true, data: { ...fitting(listed.issues.map(issueOf)), cursor: listed.cursor } }
          : listed;
      },
    }),
    tool({
      name: "claimOpsIssue",
      description:
        "Take an ops issue for some minutes, lengthen the claim (renew), or give it back (release). The first wins.",
      scope: "ops:write",
      readOnly: false,
      inputSchema: z.object({ id: z.number().int().positive(), ...ClaimOpsIssueSchema.shape }),
      call: async ({ id, ...body }) => {
        const claimed = await claimIssue(ctx, { id: String(id), body });
        return claimed.ok ? { ok: true, data: { issue: issueOf(claimed.issue), told: claimed.told } } : claimed;
      },
    }),
  ];
}

const issueOf = ({ prompt, analysis, template, ...issue }: OpsIssue) => ({
  ...issue,
  prompt: written(prompt, 4_000),
  analysis: written(analysis, 1_000),
  template: written(template, 1_000),
});
