#!/usr/bin/env node
import { takeSecrets } from "./startSecrets.ts";

// First of all, and before the rest is loaded: the process may start itself anew.
const start = takeSecrets();
const { runHost } = await import("../runHost.ts");
await runHost(start);
