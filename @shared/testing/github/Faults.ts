import { deferred, type Deferred } from "../deferred.ts";
import type { GithubFault, SeenGithubRequest } from "../githubControl.ts";

interface Rule {
  id: string;
  method: string | undefined;
  path: string | undefined;
  remaining: number;
  fault: GithubFault;
  arrived: Deferred<void>;
  gate: Deferred<void>;
}

/** The faults that are set; the oldest that matches a request wins. */
export class Faults {
  readonly #rules: Rule[] = [];

  set(rule: { method?: string | undefined; path?: string | undefined; times: number; fault: GithubFault }): string {
    const id = String(this.#rules.length + 1);
    const { method, path, times, fault } = rule;
    this.#rules.push({ id, method, path, remaining: times, fault, arrived: deferred(), gate: deferred() });
    return id;
  }

  take(request: SeenGithubRequest): { fault: GithubFault; released: Promise<void> } | null {
    const rule = this.#rules.find(
      ({ method, path, remaining }) =>
        remaining > 0 &&
        (method === undefined || method === request.method) &&
        (path === undefined || request.path.includes(path)),
    );
    if (!rule) return null;
    rule.remaining -= 1;
    rule.arrived.resolve();
    return { fault: rule.fault, released: rule.gate.promise };
  }

  /** Settles with the first request the fault is for. */
  arrived(id: string): Promise<void> {
    return this.#rule(id).arrived.promise;
  }

  release(id: string): void {
    this.#rule(id).gate.resolve();
  }

  releaseAll(): void {
    for (const rule of this.#rules) rule.gate.resolve();
  }

  #rule(id: string): Rule {
    const rule = this.#rules.find((each) => each.id === id);
    if (!rule) throw new Error(`no fault ${id}`);
    return rule;
  }
}
