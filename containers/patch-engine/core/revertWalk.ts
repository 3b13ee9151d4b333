import { Buffer } from "node:buffer";
import type { FileMode, LogEntry, LoggedFile, LoggedPatch, Splice } from "@shared/contracts";
import { carryInverses, ownersOf, type Inverse, type Membership } from "./inverse.ts";
import type { Undone } from "./revertTarget.ts";

/** A file that a revert changes, followed through the log to what it is now. */
export interface Followed {
  /** Its path now; of a file whose deletion is undone, the path it had. */
  path: string;
  /** What the log says of its content now; null where it does not stand. */
  sha256: string | null;
  /** In ascending order, against its content now. */
  inverses: Inverse[];
  /** The patches that made it, where that is undone: then it goes. */
  madeBy: string[] | null;
  /** Where its deletion is undone: what it held, and who deleted it. */
  deleted: { bytes: Buffer; mode: FileMode; by: string[] } | null;
  /** Where its renaming is undone: the name it goes back to. */
  renamed: { to: string; by: string[] } | null;
  /** Where a change of its mode is undone: the mode it goes back to. */
  remoded: { to: FileMode; by: string[] } | null;
}

/** What a later entry did that is not undone and stands in a revert's way. */
export interface Obstacle {
  followed: Followed;
  /** The undone patch. */
  patchId: string;
  why: string;
  /** Whether the file was changed around the engine. */
  isForeign: boolean;
}

export interface Walked {
  files: Followed[];
  obstacles: Obstacle[];
}

/** Follows what is to be undone from where it was done to the end of the log. */
export function walk({ targets, cancelled }: Undone, entries: readonly LogEntry[]): Walked {
  const wanted = new Set([...targets.values()].flatMap((ids) => [...ids]));
  const walker = new Walker(wanted);
  let hasBegun = false;
  for (const entry of entries) {
    const ids = targets.get(entry);
    hasBegun ||= ids !== undefined;
    // What was undone since is walked as undone too: then its two halves come to nothing.
    if (hasBegun) walker.step(entry, new Set([...(ids ?? []), ...(cancelled.get(entry) ?? [])]), cancelled.get(entry));
  }
  // What was made and deleted, both to be undone, never was.
  const existed = [...walker.standing.values(), ...walker.deleted].filter(({ madeBy, deleted }) => !madeBy || !deleted);
  const isWanted = (ids: readonly string[] = []) => ids.some((id) => wanted.has(id));
  const files = existed.map((file) => ({
    ...file,
    inverses: file.inverses.filter(({ owners }) => isWanted(owners)),
  }));
  return {
    files: files.filter(({ inverses, madeBy, deleted, renamed, remoded }) => {
      const by = [madeBy ?? [], deleted?.by, renamed?.by, remoded?.by];
      return inverses.length > 0 || by.some((ids) => isWanted(ids));
    }),
    obstacles: walker.obstacles.filter(({ patchId }) => wanted.has(patchId)),
  };
}

class Walker {
  /** Followed files by their path at this point of the log. */
  standing = new Map<string, Followed>();
  readonly deleted: Followed[] = [];
  readonly obstacles: Obstacle[] = [];
  readonly #wanted: ReadonlySet<string>;
  /** Patches done and undone that have been met once: the second time they are over. */
  readonly #open = new Set<string>();

  constructor(wanted: ReadonlySet<string>) {
    this.#wanted = wanted;
  }

  step(entry: LogEntry, ids: ReadonlySet<string>, cancelled: ReadonlySet<string> = new Set()): void {
    const membershipOf = (splice: Splice): Membership => {
      const owners = ownersOf(splice);
      if (owners.every((owner) => ids.has(owner))) return "undone";
      return owners.some((owner) => ids.has(owner) && !cancelled.has(owner)) ? "shared" : "kept";
    };
    const undoing = new Set([...cancelled].filter((id) => this.#open.has(id)));
    const after = new Map(this.standing);
    // Names first let go of, then taken: within an entry files may swap them.
    const moved: [string, Followed][] = [];
    for (const file of entry.files) {
      const name = file.from ?? file.path;
      const followed = this.#follow(entry, file, this.standing.get(name), ids, membershipOf, undoing);
      if (file.kind !== "create") after.delete(name);
      if (followed) moved.push([file.path, followed]);
    }
    for (const [path, followed] of moved) after.set(path, followed);
    this.standing = after;

    for (const id of cancelled) if (!this.#open.delete(id)) this.#open.add(id);
    const isOver = (id: string) => !this.#wanted.has(id) && !this.#open.has(id);
    for (const [, followed] of moved) {
      followed.inverses = followed.inverses
        .filter(({ owners }) => !owners.every(isOver))
        .map((inverse) => {
          // Only one half found its way here: where the other went, the text beside it has no certain order.
          const torn = [...undoing].find((id) => inverse.did.has(id) !== inverse.undid.has(id));
          return torn === undefined ? inverse : { ...inverse, conflict: inverse.conflict ?? torn };
        });
    }
  }

  /** The file as it is followed after the entry; null where it is not, or no longer. */
  #follow(
    entry: LogEntry,
    file: LoggedFile,
    known: Followed | undefined,
    ids: ReadonlySet<string>,
    membershipOf: (splice: Splice) => Membership,
    undoing: ReadonlySet<string>,
  ): Followed | null {
    const memberships = new Set(file.splices.map(membershipOf));
    const renamers = file.kind === "rename" ? undoneRenames(entry, file, ids) : [];
    const remoders = undoneModes(entry, file, ids);
    if (known && file.kind !== "create" && known.sha256 !== file.beforeSha256) {
      this.#foreign(known, `${known.path} was changed around the engine before entry ${entry.seq}`);
    }
    if (!known || file.kind === "create") {
      const isUndone =
        memberships.has("undone") ||
        memberships.has("shared") ||
        renamers === null ||
        renamers.length > 0 ||
        remoders.length > 0;
      if (!isUndone) return null;
    }
    const followed: Followed =
      known && file.kind !== "create"
        ? known
        : {
            path: file.from ?? file.path,
            sha256: file.beforeSha256,
            inverses: [],
            madeBy: null,
            deleted: null,
            renamed: null,
            remoded: null,
          };

    if (memberships.has("shared")) {
      const shared = file.splices.find((splice) => membershipOf(splice) === "shared");
      const owners = shared ? ownersOf(shared) : [];
      const id = owners.find((owner) => this.#wanted.has(owner)) ?? "";
      this.#obstacle(
        followed,
        id,
        `patches ${owners.join(", ")} shaped the same text of ${file.path}: revert their batch`,
      );
    }
    followed.sha256 = file.afterSha256;
    followed.path = file.path;
    if (file.kind === "create") {
      const restored = this.#restored(file, followed.sha256);
      if (restored) return restored;
      followed.madeBy = file.splices.flatMap(ownersOf);
      return followed;
    }
    if (file.kind === "delete") return this.#deletion(entry, file, followed, memberships);

    if (followed.madeBy && memberships.has("kept")) {
      this.#obstacle(followed, this.#wantedOf(followed), `entry ${entry.seq} edited ${file.path} after it was made`);
    }
    followed.inverses = carryInverses(followed.inverses, file.splices, membershipOf, undoing);
    if (file.kind === "rename") this.#rename(entry, file, followed, renamers);
    if (file.modeBefore !== undefined) this.#remode(entry, file, followed, remoders);
    return followed;
  }

  /** The file whose deletion an entry undid: it stands again as if it had never gone. */
  #restored(file: LoggedFile, sha256: string | null): Followed | null {
    const content = file.splices.map((splice) => splice.new).join("");
    const index = this.deleted.findIndex(
      ({ path, deleted }) => path === file.path && deleted?.bytes.toString() === content,
    );
    const restored = this.deleted[index];
    if (!restored) return null;
    this.deleted.splice(index, 1);
    restored.deleted = null;
    restored.sha256 = sha256;
    return restored;
  }

  #deletion(entry: LogEntry, file: LoggedFile, followed: Followed, memberships: ReadonlySet<Membership>): null {
    if (!memberships.has("undone")) {
      this.#obstacle(followed, this.#wantedOf(followed), `entry ${entry.seq} deleted ${file.path}`);
      return null;
    }
    const bytes = Buffer.from(file.splices.map((splice) => splice.old).join(""));
    followed.deleted = { bytes, mode: file.mode, by: file.splices.flatMap(ownersOf) };
    this.deleted.push(followed);
    return null;
  }

  #rename(entry: LogEntry, file: LoggedFile, followed: Followed, renamers: string[] | null): void {
    const owner = this.#wantedOf(followed);
    if (renamers === null) {
      const id = entry.patches.find((patch) => renames(patch) && this.#wanted.has(patch.patch_id))?.patch_id ?? owner;
      this.#obstacle(
        followed,
        id,
        `${file.path} was renamed more than once in batch ${entry.batchId}: revert the batch`,
      );
    } else if (renamers.length > 0) {
      const by = [...(followed.renamed?.by ?? []), ...renamers];
      const to = followed.renamed?.to ?? file.from ?? file.path;
      followed.renamed = to === file.path ? null : { to, by };
    } else if (followed.renamed ?? followed.madeBy) {
      this.#obstacle(followed, owner, `entry ${entry.seq} renamed it to ${file.path}`);
    }
  }

  #remode(entry: LogEntry, file: LoggedFile, followed: Followed, remoders: string[]): void {
    if (remoders.length > 0) {
      const to = followed.remoded?.to ?? file.modeBefore ?? file.mode;
      followed.remoded = to === file.mode ? null : { to, by: [...(followed.remoded?.by ?? []), ...remoders] };
    } else if (followed.remoded) {
      this.#obstacle(followed, this.#wantedOf(followed), `entry ${entry.seq} changed the mode of ${file.path} again`);
    }
  }

  #obstacle(followed: Followed, patchId: string, why: string): void {
    this.obstacles.push({ followed, patchId, why, isForeign: false });
  }

  #foreign(followed: Followed, why: string): void {
    this.obstacles.push({ followed, patchId: this.#wantedOf(followed), why, isForeign: true });
  }

  /** A patch to undo that changed a file; "" where only others did. */
  #wantedOf({ inverses, madeBy, renamed, remoded }: Followed): string {
    const ids = [
      ...inverses.flatMap(({ owners }) => owners),
      ...(madeBy ?? []),
      ...(renamed?.by ?? []),
      ...(remoded?.by ?? []),
    ];
    return ids.find((id) => this.#wanted.has(id)) ?? "";
  }
}

/** The undone patches that renamed a file; null where renames of one batch cannot be told apart. */
function undoneRenames(entry: LogEntry, file: LoggedFile, ids: ReadonlySet<string>): string[] | null {
  const renamings = entry.patches.filter(renames);
  const undone = renamings.filter(({ patch_id }) => ids.has(patch_id));
  if (undone.length === 0) return [];
  // In an entry that undid or redid a rename, the patch still names the file as it was before the patch.
  const ofFile = renamings.filter(
    (patch) => patch.file === file.from || (entry.kind === "revert" && patch.file === file.path),
  );
  if (undone.length === renamings.length) return ofFile.length > 0 ? ofFile.map(({ patch_id }) => patch_id) : [];
  const renamedFiles = entry.files.filter(({ kind }) => kind === "rename");
  if (renamings.length !== renamedFiles.length || ofFile.length !== 1) return null;
  return undone.filter((patch) => ofFile.includes(patch)).map(({ patch_id }) => patch_id);
}

/** Whether a patch renamed its file: of a diff, its own diff says so in a line that no hunk can hold. */
const renames = ({ op, diff }: Pick<LoggedPatch, "op" | "diff">): boolean =>
  op === "rename-file" || (op === "apply-diff" && diff.includes("\nrename from "));

/** The undone patches that changed a file's mode. */
function undoneModes(entry: LogEntry, file: LoggedFile, ids: ReadonlySet<string>): string[] {
  if (file.modeBefore === undefined) return [];
  const names = [file.from, file.path];
  const setters = entry.patches.filter(({ op, diff }) => op === "apply-diff" && diff.includes("\nold mode "));
  return setters
    .filter((patch) => ids.has(patch.patch_id) && (names.includes(patch.file) || setters.length === 1))
    .map(({ patch_id }) => patch_id);
}
