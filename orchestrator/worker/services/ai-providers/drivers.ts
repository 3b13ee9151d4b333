import type { Drivers } from "./probeProvider.ts";

/** The driver of each kind of provider. */
export const DRIVERS: Drivers = {};
