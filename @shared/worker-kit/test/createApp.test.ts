import { fail, ProblemSchema } from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { createApp } from "../createApp.ts";
import { createLogger } from "../logger.ts";
import { respond } from "../problem.ts";

const lines: string[] = [];
const app = createApp<{ TOKEN: string }>({
  logger: (env) => createLogger({ secrets: [env.TOKEN], write: (_, line) => lines.push(line) }),
  mintRequestId: () => "minted",
  clock: () => 0,
});
app.get("/things/:id", (c) => c.json({ ok: true, id: c.req.param("id") }));
app.post("/things", (c) => respond(c, fail("CONFLICT", "there is one already")));
app.get("/files/:file{.+}", (c) => c.text(c.req.param("file")));
app.get("/broken", () => {
  throw new Error("SELECT secret FROM /home/somebody with hunter2-hunter2");
});

const env = { TOKEN: "hunter2-hunter2" };
const problemOf = async (response: Response) => ProblemSchema.parse(await response.json());

describe("an app of the worker kit", () => {
  test("answers an unknown address with a problem document", async () => {
    const response = await app.request("/nothing", {}, env);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    expect(await problemOf(response)).toMatchObject({ code: "NOT_FOUND", ok: false, instance: "/nothing" });
  });

  test("tells a wrong method from an unknown address and names the right ones", async () => {
    const response = await app.request("/things/7", { method: "DELETE" }, env);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET");
    expect((await app.request("/files/a/b/c", { method: "POST" }, env)).status).toBe(405);
  });

  test("turns a verb's refusal into the status of its code", async () => {
    const response = await app.request("/things", { method: "POST" }, env);
    expect(response.status).toBe(409);
    expect((await problemOf(response)).detail).toBe("there is one already");
  });

  test("shows nothing of what was thrown, and logs it without the secrets of the environment", async () => {
    lines.length = 0;
    const response = await app.request("/broken", {}, env);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toMatch(/SELECT|\/home|hunter2|createApp|at .*:\d+/);
    expect(lines.join("\n")).toContain("SELECT secret");
    expect(lines.join("\n")).not.toContain("hunter2");
  });

  test("keeps a plain request id of the caller and replaces any other", async () => {
    const idOf = async (given: string) =>
      (await app.request("/things/1", { headers: { "x-request-id": given } }, env)).headers.get("x-request-id");
    expect(await idOf("trace-42")).toBe("trace-42");
    expect(await idOf("<script>")).toBe("minted");
  });
});
