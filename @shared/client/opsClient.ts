import type {
  ClaimOpsIssueSchema,
  ListGithubIssues,
  ListGithubPulls,
  ListOpsIssuesSchema,
  OpsScope,
  WorkOnOpsIssueSchema,
} from "@shared/contracts";
import type { z } from "zod";
import {
  GithubIssuesAnswerSchema,
  GithubPullsAnswerSchema,
  LastOpsScanAnswerSchema,
  OpsIssueAnswerSchema,
  OpsIssueClaimedAnswerSchema,
  OpsIssueOrderedAnswerSchema,
  OpsIssuesAnswerSchema,
  OpsScanAnswerSchema,
  OpsScansAnswerSchema,
  OpsSummaryAnswerSchema,
} from "./answers.ts";
import { at, type CallOptions, type Get, type ListQuery, type Send } from "./request.ts";

/** A query as it is written: numbers are read from text at the door. */
type IssueQuery = Omit<Partial<z.output<typeof ListOpsIssuesSchema>>, "project"> & { project?: string };
/** `repo`: `owner/name`; absent: the deployment's default repository. */
type GithubQuery<Query> = Omit<Query, "page" | "per_page"> & { repo?: string; page?: number; per_page?: number };

/** The night shift: what scans found, the scans themselves, and what stands on GitHub. */
export const opsClient = (get: Get, send: Send) => ({
  ops: {
    issues: (query: IssueQuery = {}, call?: CallOptions) =>
      get("/api/ops/issues", OpsIssuesAnswerSchema, { ...query }, call),
    issue: (id: number | string, call?: CallOptions) =>
      get(at("ops", "issues", String(id)), OpsIssueAnswerSchema, {}, call),
    /** Of simultaneous claims one wins, the others are CONFLICT; `renew` lengthens one's own, `release` gives it back. */
    claim: (id: number, input: z.input<typeof ClaimOpsIssueSchema> = {}, call?: CallOptions) =>
      send("POST", at("ops", "issues", String(id), "claim"), OpsIssueClaimedAnswerSchema, input, call),
    /** An order that mends it; asking again gives the same one. */
    work: (id: number, input: z.input<typeof WorkOnOpsIssueSchema> = {}, call?: CallOptions) =>
      send("POST", at("ops", "issues", String(id), "work"), OpsIssueOrderedAnswerSchema, input, call),
    summary: (call?: CallOptions) => get("/api/ops/summary", OpsSummaryAnswerSchema, {}, call),
    scans: (query: ListQuery = {}, call?: CallOptions) =>
      get("/api/ops/scans", OpsScansAnswerSchema, { ...query }, call),
    lastScan: (call?: CallOptions) => get("/api/ops/scan", LastOpsScanAnswerSchema, {}, call),
    /** Answers once the scan has ended, which may be minutes. One runs at a time: another is CONFLICT. */
    scan: (scope: OpsScope = "full", call?: CallOptions) =>
      send("POST", "/api/ops/scan", OpsScanAnswerSchema, { scope }, call),
  },
  github: {
    issues: (query: GithubQuery<ListGithubIssues> = {}, call?: CallOptions) =>
      get("/api/github/issues", GithubIssuesAnswerSchema, { ...query }, call),
    pulls: (query: GithubQuery<ListGithubPulls> = {}, call?: CallOptions) =>
      get("/api/github/prs", GithubPullsAnswerSchema, { ...query }, call),
  },
});
