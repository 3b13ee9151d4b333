import { appHealth, type AppHealthBindings, upstream } from "@shared/worker-kit";
import { askGithub } from "./askGithub.ts";
import { type ConfigBindings, credentialOf } from "./config.ts";

export type HealthBindings = ConfigBindings & AppHealthBindings;

/** What it is tested for: GitHub's answer for its own repository too, where it has a credential and names one. */
export const healthOf = (env: HealthBindings) =>
  appHealth(env, {
    worker: "core-github-api",
    type: "api",
    bindings:
      credentialOf(env) !== null && env.GITHUB_OWNER !== "" && env.GITHUB_REPO !== ""
        ? [upstream("github", () => askGithub(env))]
        : [],
  });
