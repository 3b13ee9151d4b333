import { parseArgs } from "node:util";
import path from "node:path";
import { buildClient } from "./buildClient.ts";
import { commitOf } from "./deployment/commit.ts";
import { deploy } from "./deployment/deploy.ts";
import { readSettings } from "./deployment/settings.ts";
import { validate } from "./deployment/validate.ts";
import { runWrangler } from "./deployment/wrangler.ts";
import { fromCaller, ROOT } from "./repository.ts";

/**
 * `pnpm run deploy [--settings FILE] [--secrets-file FILE] [--dry-run]`: the whole house to a Cloudflare account.
 * docs/deployment/ says what has to be there first. VIBEHQ_TOKEN: an administrator's token, for the validation at the end.
 */
const { values } = parseArgs({
  options: {
    settings: { type: "string" },
    "secrets-file": { type: "string" },
    "dry-run": { type: "boolean", default: false },
  },
});
const settings = readSettings(
  values.settings === undefined ? path.join(ROOT, "deployment.jsonc") : fromCaller(values.settings),
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
const say = (line: string): void => console.log(line);
if (settings.ok) {
  if ((await buildClient()) === "built") say("Built Mission Control.");
  const commit = commitOf(ROOT);
  if (commit === null) say("This is no commit's checkout: errors of what is deployed are joined to no CI failures.");
  process.exitCode = await deploy({
    settings: settings.value,
    commit,
    secretsFile: values["secrets-file"] === undefined ? null : fromCaller(values["secrets-file"]),
    dryRun: values["dry-run"],
    wrangler: runWrangler,
    say,
    validate: async () => {
      const token = process.env.VIBEHQ_TOKEN;
      if (token === undefined || token === "") {
        say(
          "Not validated: VIBEHQ_TOKEN is not set. Run npm run deploy:validate -- URL with an administrator's token.",
        );
        return true;
      }
      return validate({ url: settings.value.url, token, say });
    },
  });
} else {
  say("Nothing was changed. To be mended first:");
  for (const problem of settings.problems) say(`  - ${problem}`);
  process.exitCode = 1;
}
