/**
 * The `fetch` of a Worker that is reached by RPC: `GET /` says which Worker answers; anything else is not found.
 */
export const describeWorker =
  (worker: string) =>
  (request: Request): Response =>
    request.method === "GET" && new URL(request.url).pathname === "/"
      ? Response.json({ ok: true, worker })
      : new Response("not found", { status: 404, headers: { "content-type": "text/plain" } });
