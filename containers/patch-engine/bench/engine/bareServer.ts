import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { serve } from "@hono/node-server";
import { Hono } from "hono";

/** The baseline of the durable row: the host's HTTP server, and behind it nothing but one atomic, fsynced write. */
const [file = ""] = process.argv.slice(2);
const app = new Hono().post("/write", async (c) => {
  const { text } = await c.req.json<{ text: string }>();
  const temporary = `${file}.tmp`;
  const fd = openSync(temporary, "w");
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, file);
  return c.json({ ok: true });
});

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  process.send?.(`http://127.0.0.1:${port}`);
});
