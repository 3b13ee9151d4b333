import { addItem, getItem, listItems, type Query } from "./queries.ts";
import type { Item } from "./schema.ts";

interface Env {
  DB: D1Database;
}

const run = async <Row>(db: D1Database, { sql, params }: Query): Promise<Row[]> => {
  const { results } = await db
    .prepare(sql)
    .bind(...params)
    .all<Row>();
  return results;
};

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const id = /^\/items\/(\d+)$/.exec(url.pathname)?.[1];
    if (id !== undefined && request.method === "GET") {
      const [item] = await run<Item>(env.DB, getItem(Number(id)));
      return item ? Response.json(item) : new Response("not found", { status: 404 });
    }
    if (url.pathname === "/items" && request.method === "GET") {
      const limit = Math.min(Math.max(Number(url.searchParams.get("limit") ?? 50) || 50, 1), 500);
      return Response.json(await run<Item>(env.DB, listItems(limit)));
    }
    if (url.pathname === "/items" && request.method === "POST") {
      const body: unknown = await request.json().catch(() => null);
      const name = typeof body === "object" && body !== null && "name" in body ? body.name : undefined;
      if (typeof name !== "string" || name === "" || name.length > 200) {
        return new Response("expected {name}, of 1 to 200 characters", { status: 400 });
      }
      const [item] = await run<Item>(env.DB, addItem(name));
      return Response.json(item, { status: 201 });
    }
    // ###FINAL_MILE_PROMPT__ROUTES###
    // Further routes.
    // ###END_ROUTES###
    return new Response("not found", { status: 404 });
  },
} satisfies ExportedHandler<Env>;
