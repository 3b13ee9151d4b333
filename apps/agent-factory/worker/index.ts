import { BaseFactory, describeWorker, type FactoryBindings } from "@shared/worker-kit";

type Bindings = Omit<Env, keyof FactoryBindings> & FactoryBindings;

/** Fulfils orders for agents: Workers with a Durable Object a conversation. */
export class Factory extends BaseFactory<Bindings> {
  protected readonly factory = "agent-factory";
}

export default { fetch: describeWorker("agent-factory") } satisfies ExportedHandler<Env>;
