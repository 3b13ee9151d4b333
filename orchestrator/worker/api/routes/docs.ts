import { docsPage } from "../docsPage.ts";
import { openapiDocument } from "../openapi.ts";
import type { App } from "../route.ts";

/** The API's own description. Public, and so not in the description itself. */
export function docsRoutes(app: App): void {
  let document: object | null = null;
  const read = (): object => (document ??= openapiDocument(app));
  app.get("/api/openapi.json", () => Response.json(read()));
  app.get("/api/docs", () => docsPage(read()));
}
