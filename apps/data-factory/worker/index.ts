import { BaseFactory, describeWorker, type FactoryBindings } from "@shared/worker-kit";
import { refuseEditedMigrations } from "./migrations.ts";

type Bindings = Omit<Env, keyof FactoryBindings> & FactoryBindings;

/** Fulfils orders for data: D1 schemas and the queries over them. */
export class Factory extends BaseFactory<Bindings> {
  protected readonly factory = "data-factory";
  protected override readonly checkPlan = refuseEditedMigrations;
}

export default { fetch: describeWorker("data-factory") } satisfies ExportedHandler<Env>;
