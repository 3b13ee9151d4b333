/** A first answer, until the agent has tools of its own. */
export const greeting = "Hello. I have no tools yet.";
