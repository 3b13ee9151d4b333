import { BaseFactory, describeWorker, type FactoryBindings } from "@shared/worker-kit";

type Bindings = Omit<Env, keyof FactoryBindings> & FactoryBindings;

/** Fulfils orders for pages that a Worker renders. */
export class Factory extends BaseFactory<Bindings> {
  protected readonly factory = "ui-factory";
}

export default { fetch: describeWorker("ui-factory") } satisfies ExportedHandler<Env>;
