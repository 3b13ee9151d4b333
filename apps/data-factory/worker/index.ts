import {
  BaseFactory,
  BaseHealthCheck,
  describeWorker,
  type FactoryBindings,
  factoryHealth,
  type FactoryHealthBindings,
} from "@shared/worker-kit";
import { refuseEditedMigrations } from "./migrations.ts";

type Bindings = Omit<Env, keyof FactoryHealthBindings> & FactoryBindings & FactoryHealthBindings;

/** Fulfils orders for data: D1 schemas and the queries over them. */
export class Factory extends BaseFactory<Bindings> {
  protected readonly factory = "data-factory";
  protected override readonly checkPlan = refuseEditedMigrations;
}

/** Whether it is well, for who is bound. */
export class HealthCheck extends BaseHealthCheck<Bindings> {
  protected readonly health = factoryHealth(this.env, "data-factory");
}

export default {
  fetch: describeWorker<Bindings>("data-factory", (env) => factoryHealth(env, "data-factory")),
} satisfies ExportedHandler<Bindings>;
