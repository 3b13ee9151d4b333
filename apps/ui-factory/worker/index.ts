import {
  BaseFactory,
  BaseHealthCheck,
  describeWorker,
  type FactoryBindings,
  factoryHealth,
  type FactoryHealthBindings,
} from "@shared/worker-kit";

type Bindings = Omit<Env, keyof FactoryHealthBindings> & FactoryBindings & FactoryHealthBindings;

/** Fulfils orders for pages that a Worker renders. */
export class Factory extends BaseFactory<Bindings> {
  protected readonly factory = "ui-factory";
}

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<Bindings> {
  protected readonly health = factoryHealth(this.env, "ui-factory");
}

export default {
  fetch: describeWorker<Bindings>("ui-factory", (env) => factoryHealth(env, "ui-factory")),
} satisfies ExportedHandler<Bindings>;
