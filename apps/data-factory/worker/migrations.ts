import { fail, type Failed, type PatchOperationInput } from "@shared/contracts";

const MIGRATION = /(?:^|\/)migrations\/[^/]+\.sql$/;

/**
 * Migrations are append-only: a database that has run one never sees its edit, so a schema changes by a new file.
 * Refuses, with PATH_FORBIDDEN, any patch of one but its creation.
 */
export function refuseEditedMigrations(patches: readonly PatchOperationInput[]): Failed | null {
  const edit = patches.find(({ op, file }) => op !== "create-file" && file !== undefined && MIGRATION.test(file));
  return edit?.file === undefined
    ? null
    : fail("PATH_FORBIDDEN", `${edit.file} is a migration: add a new one with the next number instead`, {
        file: edit.file,
      });
}
