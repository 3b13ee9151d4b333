/** The node side of the harness. Code that runs in workerd imports `@shared/testing/builders`, `…/faultControl`, `…/modelControl` and `…/julesControl`. */
export * from "./builders.ts";
export * from "./engineHost.ts";
export * from "./faultControl.ts";
export * from "./faultProxy.ts";
export * from "./julesControl.ts";
export * from "./julesServer.ts";
export * from "./modelControl.ts";
export * from "./modelServer.ts";
export * from "./githubControl.ts";
export * from "./githubServer.ts";
export * from "./cloudflareServer.ts";
export * from "./cloudflareControl.ts";
