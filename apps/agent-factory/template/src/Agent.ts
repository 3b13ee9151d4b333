import { DurableObject } from "cloudflare:workers";
import { recent, type Turn } from "./memory.ts";
import { respond } from "./respond.ts";

type Row = { role: string; text: string; at: string };

/** One conversation. Turns live in the object's own SQLite, so they outlast it. */
export class Agent extends DurableObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS turns (id INTEGER PRIMARY KEY, role TEXT, text TEXT, at TEXT)");
  }

  say(text: string): Turn {
    this.remember({ role: "user", text, at: new Date().toISOString() });
    const turn: Turn = { role: "agent", text: respond(text), at: new Date().toISOString() };
    this.remember(turn);
    return turn;
  }

  history(): Turn[] {
    const rows = this.ctx.storage.sql.exec<Row>("SELECT role, text, at FROM turns ORDER BY id").toArray();
    const turns = rows.map(({ role, text, at }): Turn => ({ role: role === "user" ? "user" : "agent", text, at }));
    return recent(turns);
  }

  private remember({ role, text, at }: Turn): void {
    this.ctx.storage.sql.exec("INSERT INTO turns (role, text, at) VALUES (?, ?, ?)", role, text, at);
  }
}
