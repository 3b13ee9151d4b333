export type { ProviderOverrides } from "./aiClient.ts";
export * from "./answers.ts";
export * from "./createClient.ts";
export * from "./HubClient.ts";
export type { CallOptions, ClientOptions, Refusal } from "./request.ts";
export * from "./verifyReport.ts";
