import type { OpsIssue, OpsScan } from "@shared/contracts";
import { duration, instant } from "../../lib/format.ts";

/** What an issue is called: the first line of what was logged, with what varies masked. */
export const nameOf = ({ template, analysis }: Pick<OpsIssue, "template"> & { analysis?: string }): string =>
  (template ?? analysis ?? "").split("\n").find((line) => line.trim() !== "") ?? "Without words";

export const sourceOf = ({ worker, repo }: Pick<OpsIssue, "worker" | "repo">): string => worker ?? repo ?? "unknown";

export const kindWord: Record<OpsIssue["kind"], string> = { "worker-log": "Worker", "build-log": "CI build" };

export const isOver = ({ status }: Pick<OpsIssue, "status">): boolean => status === "closed" || status === "resolved";

/** Whose judgement its severity and cause are: a model's name, or null for the rules. */
export const modelOf = ({ judged_by: by }: Pick<OpsIssue, "judged_by">): string | null =>
  by === null || by === "rule" || by.startsWith("rule,") ? null : by;

export const scanStatus = ({ outcome }: Pick<OpsScan, "outcome">): string => `scan:${outcome ?? "running"}`;
export const scanTook = ({ started_at: from, finished_at: to }: OpsScan): string =>
  duration((to === null ? Date.now() : instant(to)) - instant(from));

export const SCOPES = [
  { value: "full", label: "Everything", what: "Workers and CI builds" },
  { value: "cloudflare", label: "Workers", what: "what deployed Workers logged" },
  { value: "cicd", label: "CI builds", what: "what CI runs logged" },
] as const satisfies readonly { value: OpsScan["scope"]; label: string; what: string }[];
export const scopeWord = (scope: OpsScan["scope"]): string =>
  SCOPES.find(({ value }) => value === scope)?.label ?? scope;
