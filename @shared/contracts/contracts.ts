/** The schemas of the given documents under the file name they gave. */
export * from "./factory.ts";
export * from "./messages.ts";
export * from "./patch.ts";
export * from "./patchEvents.ts";
