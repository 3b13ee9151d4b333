import { z } from "zod";
import type { Wanted } from "./JsonPicker.ts";

/** The events that something is done about; every other is acknowledged and forgotten. */
export const GITHUB_EVENTS = ["issues", "pull_request", "workflow_run", "check_run", "check_suite"] as const;
export const GithubEventSchema = z.enum(GITHUB_EVENTS);

const time = z.iso.datetime({ offset: true });
const sha = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
const id = z.number().int().nonnegative();
const full_name = z.string().max(250);
const status = z.string().max(50);
const conclusion = z.string().max(50).nullish();

/** What of GitHub's bodies is used; no title, no text and no name of a person is among it. */
export const SaidSchema = z.object({
  action: z.string().max(50).optional(),
  repository: z.object({ full_name }).optional(),
  issue: z
    .object({
      number: id,
      html_url: z.string().max(500),
      state: z.enum(["open", "closed"]),
      updated_at: z.iso.datetime(),
      pull_request: z.unknown().optional(),
    })
    .optional(),
  pull_request: z
    .object({
      number: id,
      html_url: z.string().max(500),
      state: z.enum(["open", "closed"]),
      draft: z.boolean().nullish(),
      created_at: time,
      updated_at: time,
      closed_at: time.nullish(),
      merged_at: time.nullish(),
      head: z.object({
        ref: z.string().max(300),
        sha,
        /** Null where the fork is gone. */
        repo: z.object({ full_name }).nullish(),
      }),
      base: z.object({ ref: z.string().max(300) }),
    })
    .optional(),
  workflow_run: z.object({ id, status, conclusion, updated_at: time, run_attempt: id.optional() }).optional(),
  check_run: z
    .object({
      id,
      name: z.string().max(1_000),
      head_sha: sha,
      status,
      conclusion,
      started_at: time.nullish(),
      completed_at: time.nullish(),
      check_suite: z.object({ id }),
    })
    .optional(),
  check_suite: z.object({ id, head_sha: sha, status, conclusion, updated_at: time }).optional(),
});
export type Said = z.infer<typeof SaidSchema>;

/** The same as names, for whoever reads a body of 25 MB. */
export const WANTED: Wanted = {
  action: true,
  repository: { full_name: true },
  issue: { number: true, html_url: true, state: true, updated_at: true, pull_request: { url: true } },
  pull_request: {
    number: true,
    html_url: true,
    state: true,
    draft: true,
    created_at: true,
    updated_at: true,
    closed_at: true,
    merged_at: true,
    head: { ref: true, sha: true, repo: { full_name: true } },
    base: { ref: true },
  },
  workflow_run: { id: true, status: true, conclusion: true, updated_at: true, run_attempt: true },
  check_run: {
    id: true,
    name: true,
    head_sha: true,
    status: true,
    conclusion: true,
    started_at: true,
    completed_at: true,
    check_suite: { id: true },
  },
  check_suite: { id: true, head_sha: true, status: true, conclusion: true, updated_at: true },
};
