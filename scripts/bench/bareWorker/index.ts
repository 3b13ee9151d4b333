import { DurableObject } from "cloudflare:workers";

interface BareEnv {
  BARE: DurableObjectNamespace<Bare>;
  DB: D1Database;
  HTTP_URL: string;
}

/** What governs nothing: it answers with what it is given. */
export class Bare extends DurableObject<BareEnv> {
  async take(text: string): Promise<string> {
    return text;
  }
}

const INSERT = "INSERT INTO rows (workspace_id, body) VALUES (?1, ?2)";

/** The least that any patch needs of this platform: one call of an object, one HTTP call, one row. */
export default {
  async fetch(request, env): Promise<Response> {
    if (request.method === "PUT") {
      await env.DB.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, workspace_id TEXT, body TEXT)");
      return Response.json({ ok: true });
    }
    const workspaceId = new URL(request.url).searchParams.get("workspace") ?? "";
    const text = await env.BARE.getByName(workspaceId).take(await request.text());
    const answered = await fetch(env.HTTP_URL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: text,
    });
    await answered.json();
    await env.DB.prepare(INSERT).bind(workspaceId, text).run();
    return Response.json({ ok: true });
  },
} satisfies ExportedHandler<BareEnv>;
