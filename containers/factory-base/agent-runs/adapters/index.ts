import type { CliProvider } from "@shared/contracts";
import type { AgentAdapter } from "./adapter.ts";
import { claude } from "./claude.ts";
import { codex } from "./codex.ts";
import { copilot } from "./copilot.ts";
import { cursor } from "./cursor.ts";
import { gemini } from "./gemini.ts";

export const ADAPTERS: Readonly<Record<CliProvider, AgentAdapter>> = { codex, gemini, claude, cursor, copilot };
