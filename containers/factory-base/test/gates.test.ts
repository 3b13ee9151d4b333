import { join } from "node:path";
import { ERROR_STATUS, GateLevelSchema } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { HARMED_FILES, HARMS } from "../../patch-engine/test/gates/harms.ts";
import { answerOf, openWorkspace, startHost, workspaceOf, workspacePath } from "./support/host.ts";
import { writeTree } from "./support/tree.ts";

const LEVELS = GateLevelSchema.options;

describe("a gate, asked through HTTP,", () => {
  test.each(HARMS)("follows policy and request: $gate", async ({ gate, code, patches, policy }) => {
    const host = await startHost();
    for (const level of LEVELS) {
      const source = join(host.root, level);
      const rules = JSON.stringify({ ...policy, gates: { [gate]: level } });
      await writeTree(source, { ...HARMED_FILES, ".mission_control/policy.json": rules });
      for (const request of LEVELS) {
        const id = `${level}-${request}`;
        const { workspace } = await openWorkspace(host, id, { kind: "path", path: source });
        const batch = { patches, gates: { [gate]: request } };
        const response = await host.request("POST", workspacePath(id, "/batches"), { batch });
        const answer = answerOf(response);
        const holds = LEVELS[Math.max(LEVELS.indexOf(level), LEVELS.indexOf(request))];
        expect([id, answer.ok, answer.error?.code]).toEqual([
          id,
          holds !== "fail",
          holds === "fail" ? code : undefined,
        ]);
        expect(response.status).toBe(holds === "fail" ? ERROR_STATUS[code] : 200);
        const check = answer.outcome?.checks.find(({ name }) => name === gate);
        expect(check).toMatchObject({ level: holds, ok: holds === "off" ? null : false });
        if (holds === "fail") expect(await workspaceOf(host, id)).toEqual(workspace);
      }
    }
  });
});
