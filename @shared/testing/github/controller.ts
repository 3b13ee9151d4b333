import { generateKeyPairSync } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import type { GithubCommandSchema, GithubReply, SeenGithubRequest } from "../githubControl.ts";
import type { Faults } from "./Faults.ts";
import { commitFiles, commitOf, git } from "./git.ts";
import type { Limits } from "./limits.ts";
import { mintToken, type Repository, type World } from "./world.ts";

type Command = z.output<typeof GithubCommandSchema>;

/** Carries out what tests ask of the server beside GitHub's own API. */
export function controller(parts: {
  world: World;
  limits: Limits;
  faults: Faults;
  seen: SeenGithubRequest[];
  directory: string;
}): (command: Command) => Promise<GithubReply> {
  const { world, limits, faults, seen, directory } = parts;

  const repositoryOf = (full: string): Repository => {
    const repository = world.repositories.get(full.toLowerCase());
    if (!repository) throw new Error(`no repository ${full}`);
    return repository;
  };
  const index = () => join(directory, `index-${world.id()}`);

  const addRepository = async (command: Extract<Command, { action: "addRepository" }>): Promise<GithubReply> => {
    const [owner = "", name = ""] = command.repository.split("/");
    const path = join(directory, owner, `${name}.git`);
    await mkdir(path, { recursive: true });
    await git(path, ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--", path]);
    for (const [key, value] of Object.entries({
      "http.receivepack": "true",
      "uploadpack.allowAnySHA1InWant": "true",
      // GitHub looks at what is pushed.
      "receive.fsckObjects": "true",
    })) {
      await git(path, ["config", key, value]);
    }
    const repository: Repository = {
      id: world.id(),
      owner,
      name,
      private: command.private,
      defaultBranch: "main",
      path,
      hasIssues: command.hasIssues,
      issues: [],
      runs: [],
    };
    world.repositories.set(command.repository.toLowerCase(), repository);
    if (command.files === null) return {};
    return {
      sha: await commitFiles(path, "main", command.files, { index: index(), message: "Begin", at: world.now() }),
    };
  };

  const addApp = (command: Extract<Command, { action: "addApp" }>): GithubReply => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const id = String(world.id());
    const installationId = world.id();
    world.apps.set(id, {
      id,
      installationId,
      publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
      repositories: new Set(command.repositories.map((full) => full.toLowerCase())),
      permissions: command.permissions,
      suspended: false,
    });
    // The form in which GitHub hands out an App's key.
    const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
    return { app: { appId: id, installationId: String(installationId), privateKey: pem } };
  };

  return async (command) => {
    switch (command.action) {
      case "addRepository":
        return addRepository(command);
      case "addApp":
        return addApp(command);
      case "addToken": {
        const token = mintToken("ghp");
        const { repositories, permissions, login } = command;
        world.tokens.set(token, {
          kind: "user",
          // Limits are kept by login: each token its own, unless it is to share one.
          login: login ?? `user-${world.id()}`,
          token,
          repositories: repositories === "all" ? "all" : new Set(repositories.map((full) => full.toLowerCase())),
          permissions,
          expiresAt: null,
        });
        return { token };
      }
      case "revokeToken":
        world.tokens.delete(command.token);
        return {};
      case "addIssues": {
        const repository = repositoryOf(command.repository);
        for (let n = 0; n < command.count; n += 1) {
          world.addIssue(repository, "somebody", { title: `Issue ${repository.issues.length + 1}` });
        }
        return {};
      }
      case "addRuns": {
        const { runs } = repositoryOf(command.repository);
        for (const { at, ...run } of command.runs) {
          runs.push({ id: world.id(), ...run, createdAt: at, earlier: [] });
        }
        return { runs: runs.slice(-command.runs.length).map(({ id }) => id) };
      }
      case "rerun": {
        const { repository, id, status, conclusion, logs } = command;
        const run = repositoryOf(repository).runs.find((one) => one.id === id);
        if (!run) throw new Error(`there is no run ${id}`);
        run.earlier.push({ status: run.status, conclusion: run.conclusion, logs: run.logs });
        Object.assign(run, { status, conclusion, logs });
        return {};
      }
      case "endRuns": {
        for (const run of repositoryOf(command.repository).runs) {
          if (run.status === "completed") continue;
          run.status = "completed";
          run.conclusion = "failure";
        }
        return {};
      }
      case "commit": {
        const { path } = repositoryOf(command.repository);
        const { branch, from, files, message } = command;
        if (from !== undefined && (await commitOf(path, `refs/heads/${branch}`)) === null) {
          await git(path, ["update-ref", `refs/heads/${branch}`, (await commitOf(path, from)) ?? ""]);
        }
        const options = { index: index(), at: world.now(), ...(message === undefined ? {} : { message }) };
        return { sha: await commitFiles(path, branch, files, options) };
      }
      case "git":
        return { text: await git(repositoryOf(command.repository).path, command.args) };
      case "fault":
        return { id: faults.set(command) };
      case "arrived":
        await faults.arrived(command.id);
        return {};
      case "release":
        faults.release(command.id);
        return {};
      case "limits": {
        for (const [name, value] of Object.entries(command.limits)) {
          if (value !== undefined) limits.settings = { ...limits.settings, [name]: value };
        }
        return {};
      }
      case "advance":
        world.advance(command.ms);
        return {};
      case "seen":
        return { seen: seen.filter(({ path }) => command.path === undefined || path.includes(command.path)) };
    }
  };
}
