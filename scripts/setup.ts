import path from "node:path";
import { buildClient, BuildError } from "./buildClient.ts";
import { buildPatchctl } from "../containers/patch-engine/build.ts";
import { writeDevVars } from "./devVars.ts";
import { installGitHook } from "./gitHook.ts";
import { migrateLocal, StoreError } from "./migrations.ts";
import { ROOT } from "./repository.ts";

/** `npm run setup`: everything `npm start` needs, without starting it. Dependencies are there: bootstrap.mjs saw to it. */
for (const file of writeDevVars()) console.log(`Wrote ${file} with random secrets.`);

try {
  for (const line of await migrateLocal(path.join(ROOT, ".vibehq"))) console.log(`Applied ${line}`);
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  console.error(`The store cannot be used: ${error.message}.`);
  process.exit(1);
}

try {
  if ((await buildClient()) === "built") console.log("Built Mission Control.");
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exit(1);
}
if ((await buildPatchctl()) === "built") console.log("Built patchctl.");

if (!process.env.CI) {
  const hook = installGitHook();
  if (hook === "installed") console.log("Installed the pre-commit hook.");
  if (hook === "foreign") console.log("Left the pre-commit hook that is there; ours would run lint-staged.");
}
console.log("Everything is set up. Next: npm start");
