/** What a request asks of which agent. */
export interface Route {
  agent: string;
  action: "say" | "history";
}

const MESSAGES = /^\/agents\/([a-z0-9-]{1,64})\/messages$/;

export function matchRoute(method: string, pathname: string): Route | null {
  const agent = MESSAGES.exec(pathname)?.[1];
  if (agent === undefined) return null;
  if (method === "POST") return { agent, action: "say" };
  if (method === "GET") return { agent, action: "history" };
  return null;
}
