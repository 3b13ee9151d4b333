import fc from "fast-check";
import { sha256, TreeHash } from "patch-engine/core";
import { expect, test } from "vitest";
import { textHash, treeHashOf } from "../lib/treeHash.ts";

test("a listing comes to the hash that the engine computes of the same tree, whatever its order and its names", async () => {
  const mode = fc.constantFrom("100644" as const, "100755" as const);
  const files = fc.uniqueArray(
    fc.record({ path: fc.string({ unit: "grapheme", minLength: 1 }), mode, content: fc.string() }),
    {
      selector: ({ path }) => path,
    },
  );
  await fc.assert(
    fc.asyncProperty(files, async (tree) => {
      const engine = new TreeHash();
      for (const file of tree) engine.set(file.path, file.mode, sha256(file.content));
      const listing = await Promise.all(
        tree.map(async ({ path, mode, content }) => ({ path, mode, sha256: await textHash(content) })),
      );
      expect(await treeHashOf(listing.toReversed())).toBe(engine.digest());
    }),
  );
});
