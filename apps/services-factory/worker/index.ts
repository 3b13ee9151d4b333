import {
  BaseFactory,
  BaseHealthCheck,
  describeWorker,
  type FactoryBindings,
  factoryHealth,
  type FactoryHealthBindings,
} from "@shared/worker-kit";

type Bindings = Omit<Env, keyof FactoryHealthBindings> & FactoryBindings & FactoryHealthBindings;

/** Fulfils orders for services: Workers that others call by RPC or REST. */
export class Factory extends BaseFactory<Bindings> {
  protected readonly factory = "services-factory";
}

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<Bindings> {
  protected readonly health = factoryHealth(this.env, "services-factory");
}

export default {
  fetch: describeWorker<Bindings>("services-factory", (env) => factoryHealth(env, "services-factory")),
} satisfies ExportedHandler<Bindings>;
