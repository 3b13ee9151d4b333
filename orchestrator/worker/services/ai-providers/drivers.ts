import type { ProviderType } from "@shared/contracts";
import { cliAgentService } from "./cli/cliAgentService.ts";
import type { ProviderDriver } from "./driver.ts";
import { julesDriver } from "./jules/julesHandler.ts";
import { modelDriver } from "./models/modelDriver.ts";

/** The driver of each kind of provider. */
export const DRIVERS: Record<ProviderType, ProviderDriver> = {
  jules: julesDriver,
  cli: cliAgentService,
  model: modelDriver,
};
