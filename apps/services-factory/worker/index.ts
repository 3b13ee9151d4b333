import { BaseFactory, describeWorker, type FactoryBindings } from "@shared/worker-kit";

type Bindings = Omit<Env, keyof FactoryBindings> & FactoryBindings;

/** Fulfils orders for services: Workers that others call by RPC or REST. */
export class Factory extends BaseFactory<Bindings> {
  protected readonly factory = "services-factory";
}

export default { fetch: describeWorker("services-factory") } satisfies ExportedHandler<Env>;
