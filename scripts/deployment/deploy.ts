import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { listWorkers, relative, ROOT, type Worker } from "../repository.ts";
import { deployedConfig, optionalSecrets, readSecrets, type Settings } from "./settings.ts";
import { isAbsent, reasonOf, type RunWrangler } from "./wrangler.ts";

export interface DeployOptions {
  settings: Settings;
  /** Secrets to be uploaded with the orchestrator; needed the first time. */
  secretsFile: string | null;
  dryRun: boolean;
  /** What is deployed, in hexadecimal: Workers' errors are joined to this commit's CI failures by it. Null: no commit's. */
  commit: string | null;
  wrangler: RunWrangler;
  say: (line: string) => void;
  /** Run once everything stands; false: it does not hold. */
  validate: () => Promise<boolean>;
  root?: string;
}

interface Step {
  name: string;
  /** What is so once it is done. */
  stands: string;
  run: () => Promise<string | null>;
}

const SecretListSchema = z.array(z.looseObject({ name: z.string() }));
const WorkerPartsSchema = z.looseObject({
  queues: z
    .looseObject({
      producers: z.array(z.looseObject({ queue: z.string() })).default([]),
      consumers: z.array(z.looseObject({ queue: z.string() })).default([]),
    })
    .optional(),
  r2_buckets: z.array(z.looseObject({ bucket_name: z.string() })).default([]),
});

/**
 * Deploys everything in an order in which each step finds what it needs: first all that can be checked, then migrations
 * (they only add, so that the Workers that still run bear them), the orchestrator, the factories. Workers bind each other;
 * where some are not there yet, the orchestrator goes first without them, and again at the end. Stops at the first failure,
 * says what stands, and undoes nothing: run again, it passes over what is done. Answers with the exit code.
 */
export async function deploy(options: DeployOptions): Promise<number> {
  const { settings, dryRun, say, root = ROOT } = options;
  const [orchestrator, ...apps] = listWorkers(root);
  if (!orchestrator) throw new Error("there is no orchestrator");
  const others = inOrder(apps);
  const base = path.join(orchestrator.directory, settings.containers ? "wrangler.containers.jsonc" : "wrangler.jsonc");
  const target = path.join(orchestrator.directory, "wrangler.deploy.jsonc");
  const text = readFileSync(base, "utf8");

  const checked = dryRun ? { problems: [], absent: new Set<string>() } : await preflight(options, orchestrator, others);
  const whole = deployedConfig(text, settings, new Set());
  const problems = [...checked.problems, ...(whole.ok ? [] : whole.problems)];
  for (const name of Object.keys(settings.workers)) {
    if (!apps.some((app) => app.name === name)) problems.push(`workers.${name}: there is no such Worker in apps/`);
  }
  if (problems.length > 0) {
    say("Nothing was changed. To be mended first:");
    for (const problem of problems) say(`  - ${problem}`);
    return 1;
  }

  const write = (absent: ReadonlySet<string>): void => {
    const made = deployedConfig(text, settings, absent);
    if (made.ok) writeFileSync(target, made.value);
  };
  const secrets = new SecretFiles(
    dryRun ? null : options.secretsFile,
    [orchestrator, ...others],
    optionalSecrets(root),
  );
  const steps = stepsOf({ options, orchestrator, others, target, write, secrets, absent: checked.absent });
  try {
    return await runSteps(steps, say, dryRun);
  } finally {
    rmSync(target, { force: true });
    secrets.remove();
  }

  async function runSteps(all: readonly Step[], tell: (line: string) => void, isDry: boolean): Promise<number> {
    const done: Step[] = [];
    for (const step of all) {
      tell(`${isDry ? "would " : ""}${step.name} …`);
      const failure = await step.run();
      if (failure === null) {
        done.push(step);
        continue;
      }
      tell(`\nStopped: ${step.name} failed: ${failure}`);
      tell(done.length === 0 ? "Nothing was changed." : "What stands:");
      for (const { stands } of done) tell(`  ✓ ${stands}`);
      tell("What does not:");
      for (const { stands } of all.slice(done.length)) tell(`  ✗ ${stands}`);
      tell("Nothing was undone. Mend the cause and run it again: what is done is passed over.");
      return 1;
    }
    tell(isDry ? "\nNothing was changed: this was a dry run." : `\nDeployed ${settings.instance} at ${settings.url}.`);
    return 0;
  }
}

/** Everything that can be known before anything is changed, all of it told at once. */
async function preflight(
  { wrangler, secretsFile }: DeployOptions,
  orchestrator: Worker,
  others: readonly Worker[],
): Promise<{ problems: string[]; absent: Set<string> }> {
  const problems: string[] = [];
  const absent = new Set<string>();
  const account = await wrangler(["whoami"]);
  if (account.code !== 0 || /not authenticated/i.test(account.said)) {
    return {
      problems: ["no account: set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID, or run wrangler login"],
      absent,
    };
  }
  for (const { name } of others) {
    const found = await wrangler(["deployments", "list", "--name", name, "--json"]);
    if (found.code === 0) continue;
    if (isAbsent(found)) absent.add(name);
    else problems.push(`${name}: it cannot be told whether it is there: ${reasonOf(found)}`);
  }

  const given = Object.keys(secretsFile === null ? {} : readSecrets(secretsFile));
  for (const { name, config } of [orchestrator, ...others]) {
    const required = config.secrets?.required ?? [];
    if (required.length === 0) continue;
    const listed = await wrangler(["secret", "list", "--name", name, "--format", "json"]);
    if (listed.code !== 0 && !isAbsent(listed))
      problems.push(`${name}: its secrets cannot be listed: ${reasonOf(listed)}`);
    const there =
      listed.code === 0 ? SecretListSchema.parse(JSON.parse(listed.stdout.slice(listed.stdout.indexOf("[")))) : [];
    const known = new Set([...given, ...there.map((secret) => secret.name)]);
    for (const secret of required) {
      if (!known.has(secret))
        problems.push(`${name}: the secret ${secret} is not set: give it with --secrets-file FILE`);
    }
  }

  const { queues, r2_buckets: buckets } = WorkerPartsSchema.parse(orchestrator.config);
  for (const queue of new Set([...(queues?.producers ?? []), ...(queues?.consumers ?? [])].map((each) => each.queue))) {
    const found = await wrangler(["queues", "info", queue]);
    if (found.code !== 0)
      problems.push(`the queue ${queue}: ${isAbsent(found) ? `run wrangler queues create ${queue}` : reasonOf(found)}`);
  }
  for (const { bucket_name: bucket } of buckets) {
    const found = await wrangler(["r2", "bucket", "info", bucket]);
    if (found.code !== 0)
      problems.push(
        `the bucket ${bucket}: ${isAbsent(found) ? `run wrangler r2 bucket create ${bucket}` : reasonOf(found)}`,
      );
  }
  return { problems, absent };
}

function stepsOf(parts: {
  options: DeployOptions;
  orchestrator: Worker;
  others: readonly Worker[];
  target: string;
  write: (absent: ReadonlySet<string>) => void;
  secrets: SecretFiles;
  absent: ReadonlySet<string>;
}): Step[] {
  const { options, orchestrator, others, target, write, secrets, absent } = parts;
  const { wrangler, dryRun, settings, commit } = options;
  const tag = commit === null ? [] : ["--tag", commit];
  const run = async (args: readonly string[]): Promise<string | null> => {
    const ran = await wrangler(args);
    return ran.code === 0 ? null : reasonOf(ran);
  };
  const dry = dryRun ? ["--dry-run", "--containers-rollout", "none"] : [];
  const deployOrchestrator = (without: ReadonlySet<string>): Promise<string | null> => {
    write(without);
    return run([
      "deploy",
      "--config",
      relative(target),
      "--message",
      `deployed as ${settings.instance}`,
      ...tag,
      ...secrets.argumentsFor(orchestrator),
      ...dry,
    ]);
  };
  const migrations = (orchestrator.config.d1_databases ?? []).map(({ binding, database_name: name }): Step => ({
    name: `apply the migrations of ${name}`,
    stands: `${name} has every migration`,
    run: async () => {
      if (dryRun) return null;
      write(absent);
      return run(["d1", "migrations", "apply", binding, "--remote", "--config", relative(target)]);
    },
  }));
  const first: Step[] =
    absent.size === 0
      ? []
      : [
          {
            name: `deploy ${orchestrator.name} without ${[...absent].join(", ")}, which are not there yet`,
            stands: `${orchestrator.name} runs, without its bindings to ${[...absent].join(", ")}`,
            run: () => deployOrchestrator(absent),
          },
        ];
  const whole: Step = {
    name: `deploy ${orchestrator.name}`,
    stands: `${orchestrator.name} runs`,
    run: () => deployOrchestrator(new Set()),
  };
  const factories = others.map((worker): Step => ({
    name: `deploy ${worker.name}`,
    stands: `${worker.name} runs`,
    run: () =>
      run([
        "deploy",
        "--config",
        relative(worker.configPath),
        ...Object.entries(settings.workers[worker.name] ?? {}).flatMap(([name, value]) => [
          "--var",
          `${name}:${value}`,
        ]),
        ...tag,
        ...secrets.argumentsFor(worker),
        ...(dryRun ? ["--dry-run"] : []),
      ]),
  }));
  const validate: Step = {
    name: `validate ${settings.url}`,
    stands: `${settings.url} holds what was deployed`,
    run: async () => (dryRun || (await options.validate()) ? null : "see its checks above"),
  };
  return [...migrations, ...(first.length > 0 ? [...first, ...factories, whole] : [whole, ...factories]), validate];
}

/** Each Worker after those it binds; Workers that bind each other, and the orchestrator, which goes first, aside. */
function inOrder(workers: readonly Worker[]): Worker[] {
  const rest = [...workers];
  const ordered: Worker[] = [];
  while (rest.length > 0) {
    const waits = ({ config }: Worker): boolean =>
      (config.services ?? []).some(({ service }) =>
        rest.some((other) => other.config !== config && other.name === service),
      );
    const next = Math.max(
      0,
      rest.findIndex((worker) => !waits(worker)),
    );
    ordered.push(...rest.splice(next, 1));
  }
  return ordered;
}

/**
 * What a file of secrets holds, given to each Worker apart: to each what it requires or may have, to the orchestrator also
 * what none of them names. Nobody but this user may read the files, and they are gone when the deployment ends.
 */
class SecretFiles {
  readonly #secrets: Record<string, string>;
  readonly #workers: readonly Worker[];
  readonly #directory: string | null;

  readonly #optional: Record<string, string[]>;

  constructor(file: string | null, workers: readonly Worker[], optional: Record<string, string[]>) {
    this.#optional = optional;
    this.#secrets = file === null ? {} : readSecrets(file);
    this.#workers = workers;
    this.#directory = file === null ? null : mkdtempSync(path.join(tmpdir(), "vibehq-secrets-"));
    // Also where the deployment is interrupted.
    if (file !== null) process.once("exit", () => this.remove());
  }

  argumentsFor(worker: Worker): string[] {
    const wanted = this.#wantedBy(worker);
    const others = new Set(this.#workers.filter((each) => each !== worker).flatMap((each) => this.#wantedBy(each)));
    const isFirst = worker === this.#workers[0];
    const own = Object.entries(this.#secrets).filter(
      ([name]) => wanted.includes(name) || (isFirst && !others.has(name)),
    );
    if (this.#directory === null || own.length === 0) return [];
    const file = path.join(this.#directory, `${worker.name}.json`);
    writeFileSync(file, JSON.stringify(Object.fromEntries(own)), { mode: 0o600 });
    return ["--secrets-file", file];
  }

  #wantedBy({ name, config }: Worker): string[] {
    return [...(config.secrets?.required ?? []), ...(this.#optional[name] ?? [])];
  }

  remove(): void {
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true });
  }
}
