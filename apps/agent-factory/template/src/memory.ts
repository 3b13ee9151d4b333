/** One turn of a conversation; `at` is ISO 8601 in UTC. */
export interface Turn {
  role: "user" | "agent";
  text: string;
  at: string;
}

export const MAX_TURNS = 20;

/** The latest turns, the oldest of them first. */
export function recent(turns: readonly Turn[], limit: number = MAX_TURNS): Turn[] {
  return turns.slice(-limit);
}
