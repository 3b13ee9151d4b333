import { FactoryNameSchema, type FactoryName, type FactoryRpc } from "@shared/contracts";

const BINDINGS = {
  "agent-factory": "FACTORY_AGENT",
  "data-factory": "FACTORY_DATA",
  "services-factory": "FACTORY_SERVICES",
  "ui-factory": "FACTORY_UI",
} as const satisfies Record<FactoryName, keyof Env>;

/**
 * A binding is a proxy that seems to have every method, and generated types know nothing of the Worker behind it:
 * contracts say what answers, and a deployment without the binding has nothing there.
 */
const isFactory = (binding: unknown): binding is FactoryRpc => typeof binding === "object" && binding !== null;

/** The factory of that name; null where there is none. */
export function factoryOf(env: Env, name: string): FactoryRpc | null {
  const factory = FactoryNameSchema.safeParse(name);
  if (!factory.success) return null;
  const binding: unknown = env[BINDINGS[factory.data]];
  return isFactory(binding) ? binding : null;
}
