/** The node side of the harness. Code that runs in workerd imports `@shared/testing/builders` and `…/faultControl`. */
export * from "./builders.ts";
export * from "./engineHost.ts";
export * from "./faultControl.ts";
export * from "./faultProxy.ts";
export * from "./githubControl.ts";
export * from "./githubServer.ts";
