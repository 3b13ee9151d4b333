import {
  BaseFactory,
  BaseHealthCheck,
  describeWorker,
  type FactoryBindings,
  factoryHealth,
  type FactoryHealthBindings,
} from "@shared/worker-kit";

type Bindings = Omit<Env, keyof FactoryHealthBindings> & FactoryBindings & FactoryHealthBindings;

/** Fulfils orders for agents: Workers with a Durable Object a conversation. */
export class Factory extends BaseFactory<Bindings> {
  protected readonly factory = "agent-factory";
}

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<Bindings> {
  protected readonly health = factoryHealth(this.env, "agent-factory");
}

export default {
  fetch: describeWorker<Bindings>("agent-factory", (env) => factoryHealth(env, "agent-factory")),
} satisfies ExportedHandler<Bindings>;
