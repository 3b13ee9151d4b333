/** The Worker where containers are on: the same, and the class that starts them. See wrangler.containers.jsonc. */
export * from "./index.ts";
export { default } from "./index.ts";
export { FactoryContainer } from "./durable-objects/FactoryContainer.ts";
