import { z } from "zod";
import { BranchNameSchema, CommitIdSchema } from "./github.ts";
import { OrderIdSchema, Sha256Schema } from "./ids.ts";
import { HeadSchema } from "./outcome.ts";

/**
 * `POST /v1/workspaces/:id/push` of an engine host: the workspace's tree as one commit on a branch of a remote
 * repository. The same tree asked for again is the commit that is there.
 */

/** The branches a host writes to, whatever its token could: those that stand for an order. */
export const ORDER_BRANCH_PREFIX = "factory/";
/** The branch of an order; null where its id makes no branch's name. */
export function orderBranchOf(orderId: string): string | null {
  const branch = BranchNameSchema.safeParse(`${ORDER_BRANCH_PREFIX}${orderId}`);
  return branch.success ? branch.data : null;
}

/** What may stand in a commit's header. */
const nameOrAddress = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cf}<>\n]+$/u, "holds a character that a commit's header cannot")
  .refine((value) => value.isWellFormed() && value.trim() === value, { error: "is not plain text" });

export const EnginePushRequestSchema = z.object({
  /** An https address without credentials, which the host must be allowed to push to. */
  remote: z.url().max(500),
  branch: BranchNameSchema.refine((name) => name.startsWith(ORDER_BRANCH_PREFIX), {
    error: `only branches that begin with ${ORDER_BRANCH_PREFIX} are written`,
  }),
  /**
   * Where the branch begins if it is not there yet and the workspace was not opened from a commit that the remote has.
   * Absent: the remote's default branch.
   */
  base: BranchNameSchema.optional(),
  /** The commit's message; the host adds trailers. */
  message: z
    .string()
    .trim()
    .min(1)
    .max(10_000)
    .refine((text) => text.isWellFormed() && !text.includes("\0"), { error: "is not plain text" }),
  author: z.object({ name: nameOrAddress, email: nameOrAddress }),
  orderId: OrderIdSchema,
  /** Where the workspace's custody chain stands. */
  custody: HeadSchema,
  /** In the environment of the git processes alone; in no argument, file, log or answer. */
  token: z.string().regex(/^[\x21-\x7e]{1,4096}$/, "is no token"),
  /** What is to be pushed; where the log stands elsewhere, the answer is HEAD_MISMATCH. */
  expectedHead: HeadSchema,
  /** Nothing of anybody's is ever overwritten. */
  force: z.literal(false).default(false),
});
export type EnginePushRequest = z.input<typeof EnginePushRequestSchema>;

export const EnginePushAnswerSchema = z.object({
  branch: z.string(),
  commit: CommitIdSchema,
  /** The commit it stands on; null: the first of its repository. */
  parent: CommitIdSchema.nullable(),
  /** False: the branch had this tree already. */
  pushed: z.boolean(),
  head: HeadSchema,
  treeHash: Sha256Schema,
});
export type EnginePushAnswer = z.infer<typeof EnginePushAnswerSchema>;
