import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
it("runs in workerd", async () => { expect(await (await exports.default.fetch("http://x/")).text()).toBe("ok"); });
