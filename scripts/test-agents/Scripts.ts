import type { ProviderName } from "@shared/contracts";
import type { ModelServer, ScriptStep } from "@shared/testing";
import { KEYS } from "./stack.ts";

/** What a provider's model does at one task. */
export type Behaviour =
  /** Makes an edit, once `after` has come, and says that it is done as soon as `made` stands in the conversation. */
  | { edit: ScriptStep; made: string; after?: () => Promise<unknown> }
  /** Answers every request so. */
  | { always: ScriptStep };

const DONE: ScriptStep = { kind: "text", text: "All done." };
const ASIDE: ScriptStep = { kind: "text", text: "Yes." };

/**
 * Leads the model server by what its clients ask: each provider behaves by the task that its prompt names, so that any
 * number of executions go on at once.
 */
export class Scripts {
  readonly #behaviours = new Map<string, Behaviour>();

  constructor(model: ModelServer) {
    for (const [provider, { value }] of Object.entries(KEYS)) {
      model.accept(value, async ({ body, tools }) => {
        const conversation = JSON.stringify(body);
        const task = /Task (T-[\w-]+) \(/.exec(conversation)?.[1] ?? "";
        const behaviour = this.#behaviours.get(`${provider} ${task}`);
        // A call on the side, like one that names the conversation, has no tools. A model that is asked directly has none.
        const isAside = tools.length === 0 && provider !== "ai-gateway";
        if (behaviour === undefined) {
          return isAside ? ASIDE : { kind: "status", status: 500, message: `nothing is scripted for ${task}` };
        }
        if ("always" in behaviour) return behaviour.always;
        if (isAside) return ASIDE;
        if (conversation.includes(behaviour.made)) return DONE;
        await behaviour.after?.();
        return behaviour.edit;
      });
    }
  }

  set(task: string, provider: ProviderName, behaviour: Behaviour): void {
    this.#behaviours.set(`${provider} ${task}`, behaviour);
  }
}
