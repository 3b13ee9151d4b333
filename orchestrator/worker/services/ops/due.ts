import { sql } from "kysely";
import type { ServiceContext } from "../../context.ts";
import { ALERTED_UP_TO, FILED_UP_TO } from "./severity.ts";

/**
 * What a scan still has to do, each by an index that holds that alone (migration 0340). The conditions stand here as
 * there, word for word and without parameters: only so does SQLite know that the index answers them.
 */
type Db = Pick<ServiceContext, "db">["db"];

const isOpen = sql<boolean>`+status IN ('open', 'triaged', 'in_progress')`;
const isOver = sql<boolean>`+status IN ('resolved', 'closed')`;

/** Issues that GitHub has not. */
export const unfiledQuery = (db: Db, limit: number) =>
  db.ops
    .selectFrom("ops_issues")
    .selectAll()
    .where("gh_issue_number", "is", null)
    .where("fingerprint", "is not", null)
    .where(isOpen)
    .where("rule_severity", "<=", FILED_UP_TO)
    .orderBy("rule_severity")
    .orderBy("id")
    .limit(limit);

/** Issues whose state GitHub was not told. */
export const untoldStatesQuery = (db: Db, limit: number) =>
  db.ops
    .selectFrom("ops_issues")
    .selectAll()
    .where("gh_issue_number", "is not", null)
    .where("fingerprint", "is not", null)
    .where(
      sql<boolean>`gh_state IS NOT (CASE WHEN +status IN ('resolved', 'closed') THEN 'closed' WHEN +status = 'in_progress' THEN 'in_progress' ELSE 'open' END)`,
    )
    .orderBy("id")
    .limit(limit);

/** Issues that happened again, of which nothing was said since `toldBefore`. */
export const untoldReturnsQuery = (db: Db, toldBefore: string, limit: number) =>
  db.ops
    .selectFrom("ops_issues")
    .selectAll()
    .where("gh_issue_number", "is not", null)
    .where(isOpen)
    .where(sql<boolean>`occurrences > told_occurrences`)
    .where((eb) => eb.or([eb("told_at", "is", null), eb("told_at", "<=", toldBefore)]))
    .orderBy("id")
    .limit(limit);

/** Closes what nobody works on and what has been silent, and whose state nobody has set on GitHub in that time. */
export const closeQuietQuery = (
  db: Db,
  { kinds, quietSince, now }: { kinds: readonly ("worker-log" | "build-log")[]; quietSince: string; now: string },
) =>
  db.ops
    .updateTable("ops_issues")
    .set({ status: "closed", closed_at: now, updated_at: now })
    .where("fingerprint", "is not", null)
    .where(sql<boolean>`+status IN ('open', 'triaged')`)
    .where((eb) => eb(sql<string>`+kind`, "in", [...kinds]))
    .where("last_seen", "<", quietSince)
    .where((eb) => eb.or([eb("gh_updated_at", "is", null), eb("gh_updated_at", "<", quietSince)]))
    .returning(["id", "template", "worker", "repo"]);

/** Issues that a rule alone has graded. */
export const unjudgedQuery = (db: Db, limit: number) =>
  db.ops
    .selectFrom("ops_issues")
    .select(["id", "kind", "template", "rule_severity"])
    .where(sql<boolean>`judged_by = 'rule'`)
    .where("fingerprint", "is not", null)
    .where(isOpen)
    .orderBy("rule_severity")
    .orderBy("id", "desc")
    .limit(limit);

/** Gives back issues whose claim is over. */
export const endClaimsQuery = (db: Db, now: string) =>
  db.ops
    .updateTable("ops_issues")
    .set({ status: "open", claimed_by: null, claimed_at: null, claim_expires_at: null, updated_at: now })
    .where(sql<boolean>`+status = 'in_progress'`)
    .where("claim_expires_at", "<=", now)
    .returning(["id", "order_id"]);

/** Grave issues that nobody was told of, since they are there or since they came back. */
export const toAlertQuery = (db: Db, limit: number) =>
  db.ops
    .selectFrom("ops_issues")
    .selectAll()
    .where(sql<boolean>`+rule_severity <= ${sql.lit(ALERTED_UP_TO)}`)
    .where(isOpen)
    .where(sql<boolean>`reopened > coalesce(alerted, -1)`)
    .orderBy("id")
    .limit(limit);

/** Issues that are closed while their alert is open. */
export const alertsOverQuery = (db: Db, limit: number) =>
  db.ops
    .selectFrom("ops_issues")
    .select("id")
    .where(sql<boolean>`alert_open = 1`)
    .where(isOver)
    .orderBy("id")
    .limit(limit);
