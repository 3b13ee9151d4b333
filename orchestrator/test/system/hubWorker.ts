import type { CustodyRecord } from "@shared/contracts";
import { Server } from "partyserver";
import { app } from "../../worker/app.ts";
import { EventHub as Hub } from "../../worker/durable-objects/EventHub.ts";

/** The orchestrator's own hub, which can be made to fall over. */
export class EventHub extends Hub {
  crash(): void {
    this.ctx.abort("crash");
  }
}

/** A room as partyserver's users write it: what comes in goes to everyone. What a hub is measured against. */
export class BareRoom extends Server {
  static override options = { hibernate: true };

  say(messages: string[]): void {
    for (const message of messages) this.broadcast(message);
  }
}

interface HubEnv extends Env {
  EVENT_HUB: DurableObjectNamespace<EventHub>;
  BARE_ROOM: DurableObjectNamespace<BareRoom>;
}

/** The orchestrator's doors, and beside them what a test does to a room from within. */
export default {
  async fetch(request, env, ctx): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const room = searchParams.get("room") ?? "all";
    switch (pathname) {
      case "/test/deliver": {
        const records: CustodyRecord[] = await request.json();
        return Response.json(await env.EVENT_HUB.getByName(room).deliver({ source: "default", records }));
      }
      case "/test/crash":
        // The call dies with the object; that is its answer.
        return new Response(await env.EVENT_HUB.getByName(room).crash().then(String, String));
      case "/test/bare":
        return env.BARE_ROOM.getByName(room).fetch(request);
      case "/test/say":
        await env.BARE_ROOM.getByName(room).say(await request.json());
        return new Response(null);
      default:
        return app.fetch(request, env, ctx);
    }
  },
} satisfies ExportedHandler<HubEnv>;
