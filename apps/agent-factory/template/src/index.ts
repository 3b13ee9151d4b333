import { Agent } from "./Agent.ts";
import { matchRoute } from "./routes.ts";

export { Agent };

interface Env {
  AGENT: DurableObjectNamespace<Agent>;
}

export default {
  async fetch(request, env) {
    const route = matchRoute(request.method, new URL(request.url).pathname);
    if (!route) return new Response("not found", { status: 404 });
    const agent = env.AGENT.getByName(route.agent);
    if (route.action === "history") return Response.json(await agent.history());
    const body: unknown = await request.json().catch(() => null);
    const text = typeof body === "object" && body !== null && "text" in body ? body.text : undefined;
    if (typeof text !== "string") return new Response("expected {text}", { status: 400 });
    return Response.json(await agent.say(text));
  },
} satisfies ExportedHandler<Env>;
