import { CSRF_HEADER } from "@shared/contracts";
import { z } from "zod";
import { type App, inputs, outputs } from "./route.ts";

/** The version of the API, which is that of the house while there is one. */
export const API_VERSION = "0.1.0";

const uri = (id: string): string => `#/components/schemas/${id}`;

type JsonSchema = Record<string, unknown>;

/** zod's own JSON Schema (draft 2020-12, which OpenAPI 3.1 speaks) of every named schema; names refer to each other. */
function componentSchemas(): Record<string, JsonSchema> {
  const asked = z.toJSONSchema(inputs, { io: "input", unrepresentable: "any", uri });
  const answered = z.toJSONSchema(outputs, { io: "output", unrepresentable: "any", uri });
  const all: Record<string, JsonSchema> = { ...asked.schemas, ...answered.schemas };
  return Object.fromEntries(
    Object.keys(all)
      .toSorted()
      .map((name) => {
        const { $schema: _schema, $id: _id, id: _name, ...schema } = all[name] ?? {};
        return [name, schema];
      }),
  );
}

/** The OpenAPI 3.1 document of all routes. The same routes give the same text, so that drift shows. */
export function openapiDocument(app: App): object {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "VibeHQ orchestrator",
      version: API_VERSION,
      description:
        "Every change an agent makes is a patch: checked before it is written, all or nothing, attributed, reversible. " +
        "Refusals are RFC 9457 problem documents whose `code` and `error` say what to correct.",
    },
  });
  return {
    ...document,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token; each route names the scope it needs." },
        signature: {
          type: "apiKey",
          in: "header",
          name: "x-vibehq-signature",
          description:
            "Between services: sha256= and the HMAC-SHA256 of `<x-vibehq-timestamp>.<METHOD> <path>.<body>` under HEALTH_SECRET.",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "vibehq-<instance>",
          description: `The cookie of POST /api/auth/session. What changes something must carry the header ${CSRF_HEADER} too.`,
        },
      },
      schemas: componentSchemas(),
    },
  };
}
