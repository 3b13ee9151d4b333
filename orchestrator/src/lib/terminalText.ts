import type { AgentRunEvent } from "@shared/contracts";

const style = (code: string, text: string): string => `\u001B[${code}m${text}\u001B[0m`;
/** Control characters as their pictures, so that a command shows what it is and does nothing. */
const inert = (text: string): string =>
  text.replaceAll(/[^\P{Cc}\t\n]/gu, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\u2421";
  });

/**
 * An event as a terminal shows it. What a program printed goes in as it is: the terminal is made for that, and has nothing
 * behind it. Everything else is text.
 */
export function terminalText(event: AgentRunEvent): string {
  switch (event.type) {
    case "terminal_output":
      return event.text;
    case "command_executing":
      return `${style("1;34", "$")} ${style("1", inert(event.command))}\n`;
    case "command_executed":
      return `${style("2", `exit ${event.exitCode ?? "?"}`)}\n`;
    case "command_execution_failed":
      return `${style("31", `exit ${event.exitCode ?? "?"}: ${inert(event.command)}`)}\n`;
    case "conversation_response":
      return `${style("36", inert(event.text))}\n`;
    case "state":
      return `${style("2", `· ${event.state}`)}\n`;
  }
}
